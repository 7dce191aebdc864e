#include "core/plan.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace mvo::core {

std::optional<Scope> parse_scope(std::string_view text) {
  if (text == "self") return Scope::self;
  if (text == "upstream") return Scope::upstream;
  if (text == "downstream") return Scope::downstream;
  if (text == "both") return Scope::both;
  return std::nullopt;
}

std::vector<Node> all_views(const Views& views) {
  std::vector<Node> all(views.size());
  std::iota(all.begin(), all.end(), Node{0});
  return all;
}

std::vector<Node> enabled_views(const Views& views) {
  std::vector<Node> enabled;
  for (Node node = 0; node < views.size(); ++node)
    if (views[node].enabled) enabled.push_back(node);
  return enabled;
}

std::vector<Node> in_scope(const Views& views, Node view, Scope scope) {
  std::vector<Node> upstream{view}, downstream{view};
  if (scope == Scope::upstream || scope == Scope::both)
    upstream = views.graph().with_sources({view});
  if (scope == Scope::downstream || scope == Scope::both)
    downstream = views.graph().with_readers({view});

  std::vector<Node> chosen;
  std::ranges::set_union(upstream, downstream, std::back_inserter(chosen));
  std::erase_if(chosen, [&](Node node) { return node != view && !views[node].enabled; });
  return chosen;
}

std::variant<Plan, Cycle> plan_for(const Views& views, const std::vector<Node>& chosen,
                                   std::optional<Mode> asked, Mode setting) {
  auto result = order_of(views.graph().restricted_to(chosen));
  if (auto* cycle = std::get_if<Cycle>(&result)) {
    for (Node& node : *cycle) node = chosen[node];
    return std::move(*cycle);
  }
  Plan plan;
  for (const auto& [node, level] : std::get<Order>(result)) {
    const Node view = chosen[node];
    const auto [mode, reason] = choose_mode(asked, views[view].mode, setting);
    plan.push_back({view, level, mode, reason});
  }
  return plan;
}

std::vector<Node> read_by(const Plan& plan, const Graph& graph) {
  std::vector<Node> read;
  for (const Step& step : plan) {
    const auto& sources = graph.sources(step.view);
    read.insert(read.end(), sources.begin(), sources.end());
  }
  std::ranges::sort(read);
  const auto repeats = std::ranges::unique(read);
  read.erase(repeats.begin(), repeats.end());
  return read;
}

}  // namespace mvo::core
