// The last include of every file in api/: entry points read arguments, call pg and return rows.
// Raw server calls that could raise an error past C++ frames do not compile after this line.
#pragma once

#undef ereport
#undef elog
#undef PG_TRY
#undef PG_CATCH
#undef PG_END_TRY
#pragma GCC poison ereport elog SPI_connect SPI_execute SPI_execute_with_args SPI_finish
#pragma GCC poison table_open table_close relation_open LockAcquire ProcessUtility
#pragma GCC poison palloc pfree cstring_to_text text_to_cstring
#pragma GCC poison SetUserIdAndSecContext set_config_option
#pragma GCC poison PG_TRY PG_CATCH PG_END_TRY
