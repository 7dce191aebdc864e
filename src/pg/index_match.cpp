#include "pg/index_match.hpp"

namespace mvo::pg {
namespace {

std::string_view method_of(const IndexStmt* index) {
  return index->accessMethod == nullptr ? "btree" : index->accessMethod;
}

bool descends(const IndexElem* element) {
  return element->ordering == SORTBY_DESC;
}

// Without NULLS FIRST or LAST, they are as the largest values.
bool nulls_first(const IndexElem* element) {
  if (element->nulls_ordering == SORTBY_NULLS_DEFAULT) return descends(element);
  return element->nulls_ordering == SORTBY_NULLS_FIRST;
}

bool may_be_same_element(const IndexElem* a, const IndexElem* b) {
  if ((a->name == nullptr) != (b->name == nullptr)) return false;
  if (a->name != nullptr && std::string_view(a->name) != b->name) return false;
  return descends(a) == descends(b) && nulls_first(a) == nulls_first(b);
}

bool may_be_same_list(List* a, List* b) {
  if (list_length(a) != list_length(b)) return false;
  for (int i = 0; i < list_length(a); ++i)
    if (!may_be_same_element(static_cast<IndexElem*>(list_nth(a, i)),
                             static_cast<IndexElem*>(list_nth(b, i))))
      return false;
  return true;
}

}  // namespace

bool may_be_same_index(const IndexStmt* a, const IndexStmt* b) {
  return a->unique == b->unique && method_of(a) == method_of(b) &&
         (a->whereClause == nullptr) == (b->whereClause == nullptr) &&
         may_be_same_list(a->indexParams, b->indexParams) &&
         may_be_same_list(a->indexIncludingParams, b->indexIncludingParams);
}

}  // namespace mvo::pg
