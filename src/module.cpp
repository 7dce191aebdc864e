// Load time.
#include "pg/core_refresh.hpp"
#include "pg/prelude.hpp"
#include "pg/settings.hpp"

extern "C" {
PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void _PG_init(void) {
  mvo::pg::define_settings();
  mvo::pg::install_refresh_hook();
}
}
