#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/checked_view.hpp"
#include "pg/reads.hpp"

namespace mvo::pg {
namespace {

using core::Kind;
using core::Severity;

// Where the materialized view of this OID is now. An OID that something else has by now says
// nothing.
std::optional<core::Name> view_name_of(Oid oid) {
  const auto found = relation_at(oid);
  if (!found || found->kind != RELKIND_MATVIEW) return std::nullopt;
  return found->name;
}

// Under another name than its own.
std::optional<core::Name> whereabouts(const CheckedView& view) {
  for (const Oid oid : view.seen)
    if (const auto name = view_name_of(oid); name && *name != view.name()) return name;
  return std::nullopt;
}

bool schema_exists(const std::string& schema) {
  return call([&] { return OidIsValid(get_namespace_oid(schema.c_str(), true)); });
}

// The statements after which there is such a schema; nothing where there is.
std::string make_schema(const std::string& schema) {
  return schema_exists(schema) ? "" : fmt::format("CREATE SCHEMA {}; ", print(schema));
}

// The statements that bring a view back to the name that is registered.
std::string way_back(const core::Name& from, const core::Name& to) {
  std::string statements;
  if (from.schema != to.schema)
    statements = fmt::format("{}ALTER MATERIALIZED VIEW {} SET SCHEMA {};", make_schema(to.schema),
                             print(from), print(to.schema));
  if (from.name != to.name)
    statements +=
        fmt::format("{}ALTER MATERIALIZED VIEW {} RENAME TO {};", statements.empty() ? "" : " ",
                    print(core::Name{to.schema, from.name}), print(to.name));
  return statements;
}

// A schema that is gone may have been renamed, or the view was moved out of it before it was
// dropped: then the other one must keep its name.
std::string hint_to_bring_back(const core::Name& from, const core::Name& to) {
  if (from.name != to.name || schema_exists(to.schema))
    return "Bring it back: " + way_back(from, to);
  return fmt::format(
      "Bring it back, where its schema was renamed: ALTER SCHEMA {} RENAME TO {}; where it was "
      "moved: {}",
      print(from.schema), print(to.schema), way_back(from, to));
}

void report_missing(const CheckedView& view) {
  if (const auto name = whereabouts(view)) {
    view.report(Kind::moved, fmt::format("It is now called {}.", print(*name)),
                fmt::format("{} Or register it under its new name and forget the old one: {} {}",
                            hint_to_bring_back(*name, view.name()), statement("mv_adopt", *name),
                            statement("mv_unregister", view.name())));
    return;
  }
  view.report(view.registration.options.enabled ? Severity::error : Severity::info, Kind::missing,
              "It is registered, but there is no materialized view of this name.",
              fmt::format("Create it: {}{}", make_schema(view.name().schema),
                          statement("mv_create", view.name())));
}

void check_replaced(const CheckedView& view) {
  if (view.seen.empty() || view.seen.front() == view.live->oid) return;
  const auto name = whereabouts(view);
  view.report(Kind::replaced,
              name ? fmt::format("Another view has its name; the one before is now called {}.",
                                 print(*name))
                   : "It was dropped and made anew, not by mv_create().",
              "Nothing has to be done if that was meant: the next refresh takes it as it is. Look "
              "for \"drift\" and \"missing_index\" here.");
}

void check_author(const CheckedView& view) {
  const Author& author = view.registration.author;
  if (author.is_gone()) {
    view.report(Kind::owner_missing,
                fmt::format("Role {}, which registered it, no longer exists.", print(author.name)),
                "Register it again with mv_register(), as its owner or as a superuser.");
    return;
  }
  if (!view.is_view() || view.live->owner == author.role) return;
  const char* owner = call([&] { return GetUserNameFromId(view.live->owner, true); });
  if (owner == nullptr) return;  // it was given to somebody else a moment ago
  view.report(
      Kind::owner_differs,
      fmt::format("Role {} registered it, role {} owns it: indexes and the search_path that "
                  "are registered are not used.",
                  print(author.name), print(owner)),
      fmt::format("Register it again as its owner, or: ALTER MATERIALIZED VIEW {} OWNER TO "
                  "{};",
                  print(view.name()), print(author.name)));
}

}  // namespace

void check_existence(const CheckedView& view) {
  check_author(view);
  if (!view.live) return report_missing(view);
  if (!view.is_view()) {
    const auto name = whereabouts(view);
    view.report(Kind::name_taken,
                "Its name belongs to something that is not a materialized view." +
                    (name ? fmt::format(" The view is now called {}.", print(*name)) : ""),
                fmt::format("Rename or drop that, then {}",
                            name ? "bring it back: " + way_back(*name, view.name())
                                 : "create it: " + statement("mv_create", view.name())));
    return;
  }
  check_replaced(view);
  if (!view.live->populated)
    view.report(Kind::not_populated, "It cannot be read before it has been refreshed.",
                "Refresh it: " + statement("mv_refresh", view.name()));
}

}  // namespace mvo::pg
