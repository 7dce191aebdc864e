// Load time.
#include "pg/prelude.hpp"
#include "pg/settings.hpp"

extern "C" {
PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void _PG_init(void) {
  mvo::pg::define_settings();
}
}
