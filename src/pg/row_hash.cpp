#define XXH_INLINE_ALL
#include <xxhash.h>

#include "pg/row_hash.hpp"

#include <algorithm>

extern "C" {
#include <access/detoast.h>
#include <access/toast_internals.h>
}

namespace mvo::pg {
namespace {

constexpr std::uint64_t null_mark = 0x9e3779b97f4a7c15;

std::uint64_t hash_bytes_of(const void* bytes, std::size_t length, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes, length, seed);
}

bool is_plain(const varlena* value) {
  return !VARATT_IS_EXTERNAL(value) && !VARATT_IS_COMPRESSED(value);
}

std::uint64_t hash_varlena(Datum value, std::size_t prefix, std::uint64_t seed) {
  auto* stored = reinterpret_cast<varlena*>(DatumGetPointer(value));
  if (is_plain(stored)) {
    const std::size_t length = VARSIZE_ANY_EXHDR(stored);
    return hash_bytes_of(VARDATA_ANY(stored), std::min(length, prefix), seed + length);
  }
  const std::size_t length = toast_raw_datum_size(value) - VARHDRSZ;
  const std::size_t hashed = std::min(length, prefix);
  varlena* plain = detoast_attr_slice(stored, 0, static_cast<std::int32_t>(hashed));
  const std::uint64_t hash = hash_bytes_of(VARDATA_ANY(plain), hashed, seed + length);
  pfree(plain);
  return hash;
}

// A short value fills its Datum by its sign or with zeros, depending on where it comes from.
Datum significant(Form_pg_attribute column, Datum value) {
  return column->attlen == sizeof(Datum) ? value : value & ((Datum{1} << (8 * column->attlen)) - 1);
}

std::uint64_t hash_value(Form_pg_attribute column, Datum value, std::size_t prefix,
                         std::uint64_t seed) {
  if (column->attbyval) {
    const Datum bytes = significant(column, value);
    return hash_bytes_of(&bytes, sizeof bytes, seed);
  }
  if (column->attlen == -1) return hash_varlena(value, prefix, seed);
  const char* bytes = DatumGetPointer(value);
  return hash_bytes_of(bytes, column->attlen == -2 ? strlen(bytes) : column->attlen, seed);
}

bool same_bytes(const varlena* a, const varlena* b) {
  return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
         memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

void free_unless(varlena* value, const varlena* original) {
  if (value != original) pfree(value);
}

// Of two compressed values only the compressed bytes are compared, where that tells.
bool same_fetched(varlena* a, varlena* b) {
  if (VARATT_IS_COMPRESSED(a) && VARATT_IS_COMPRESSED(b) && VARSIZE(a) == VARSIZE(b) &&
      memcmp(a, b, VARSIZE(a)) == 0)
    return true;
  varlena *plain_a = detoast_attr(a), *plain_b = detoast_attr(b);
  const bool same = same_bytes(plain_a, plain_b);
  free_unless(plain_a, a);
  free_unless(plain_b, b);
  return same;
}

bool same_varlena(Datum a, Datum b) {
  auto* stored_a = reinterpret_cast<varlena*>(DatumGetPointer(a));
  auto* stored_b = reinterpret_cast<varlena*>(DatumGetPointer(b));
  if (is_plain(stored_a) && is_plain(stored_b)) return same_bytes(stored_a, stored_b);
  if (toast_raw_datum_size(a) != toast_raw_datum_size(b)) return false;
  varlena *fetched_a = detoast_external_attr(stored_a),
          *fetched_b = detoast_external_attr(stored_b);
  const bool same = same_fetched(fetched_a, fetched_b);
  free_unless(fetched_a, stored_a);
  free_unless(fetched_b, stored_b);
  return same;
}

}  // namespace

std::uint64_t RowHasher::add(std::uint64_t hash, const TupleTableSlot* row, int column) const {
  return row->tts_isnull[column]
             ? hash * 31 + null_mark
             : hash_value(TupleDescAttr(columns_, column), row->tts_values[column], prefix_, hash);
}

std::uint64_t RowHasher::hash(const TupleTableSlot* row) const {
  std::uint64_t hash = seed_;
  for (int i = 0; i < columns_->natts; ++i) hash = add(hash, row, i);
  return hash;
}

std::uint64_t RowHasher::hash_of(const Bitmapset* columns, const TupleTableSlot* row) const {
  std::uint64_t hash = seed_;
  for (int i = -1; (i = bms_next_member(columns, i)) >= 0;) hash = add(hash, row, i);
  return hash;
}

bool same_value(Form_pg_attribute column, Datum a, Datum b) {
  if (column->attbyval) return significant(column, a) == significant(column, b);
  if (column->attlen == -1) return same_varlena(a, b);
  if (column->attlen == -2) return strcmp(DatumGetCString(a), DatumGetCString(b)) == 0;
  return memcmp(DatumGetPointer(a), DatumGetPointer(b), column->attlen) == 0;
}

bool same_column(TupleDesc columns, int i, const TupleTableSlot* a, const TupleTableSlot* b) {
  if (a->tts_isnull[i] || b->tts_isnull[i]) return a->tts_isnull[i] == b->tts_isnull[i];
  return same_value(TupleDescAttr(columns, i), a->tts_values[i], b->tts_values[i]);
}

bool same_row(TupleDesc columns, const TupleTableSlot* a, const TupleTableSlot* b) {
  for (int i = 0; i < columns->natts; ++i)
    if (!same_column(columns, i, a, b)) return false;
  return true;
}

}  // namespace mvo::pg
