#include "pg/datum.hpp"

#include <charconv>

namespace mvo::pg {

std::string to_string(Datum datum) {
  const text* value = call([&] { return DatumGetTextPP(datum); });
  return {VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))};
}

std::string to_string(const char* text) {
  return text == nullptr ? std::string() : text;
}

Oid to_oid(const std::string& text) {
  Oid oid = InvalidOid;
  std::from_chars(text.data(), text.data() + text.size(), oid);
  return oid;
}

Datum text_datum(std::string_view text) {
  return call([&] {
    return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
  });
}

Datum text_array_datum(const std::vector<std::string>& texts) {
  return call([&] {
    auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * (texts.size() + 1)));
    for (std::size_t i = 0; i < texts.size(); ++i)
      values[i] = PointerGetDatum(
          cstring_to_text_with_len(texts[i].data(), static_cast<int>(texts[i].size())));
    return PointerGetDatum(
        construct_array(values, static_cast<int>(texts.size()), TEXTOID, -1, false, TYPALIGN_INT));
  });
}

std::vector<std::optional<std::string>> to_strings(Datum text_array) {
  Datum* values = nullptr;
  bool* nulls = nullptr;
  int count = 0;
  call([&] {
    deconstruct_array(DatumGetArrayTypeP(text_array), TEXTOID, -1, false, TYPALIGN_INT, &values,
                      &nulls, &count);
  });
  std::vector<std::optional<std::string>> texts;
  texts.reserve(count);
  for (int i = 0; i < count; ++i)
    texts.push_back(nulls[i] ? std::nullopt : std::optional(to_string(values[i])));
  return texts;
}

}  // namespace mvo::pg
