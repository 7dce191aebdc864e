#include "pg/guc_scope.hpp"

#include "pg/datum.hpp"

namespace mvo::pg {

void GucScope::set_all(const std::vector<std::string>& settings) {
  if (settings.empty()) return;
  const Datum array = text_array_datum(settings);
  call([&] {
    ProcessGUCArray(DatumGetArrayTypeP(array), PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE);
  });
}

}  // namespace mvo::pg
