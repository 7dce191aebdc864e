# PGXS build of the extension. Sources, tests and objects are found by wildcard:
# a new file needs no line here.
#
#   make && make install     build and install for the server of $(PG_CONFIG)
#   make installcheck        every server test against the running, installed server
#   make check               everything, in a throw-away cluster (scripts/check)
#   make demo                the OMOP example, in a throw-away cluster (scripts/demo)

SCRIPT_GOALS = check demo format
ifneq ($(filter $(SCRIPT_GOALS),$(MAKECMDGOALS)),)

# PGXS is left out here: on a fresh machine there is no pg_config yet.
.PHONY: $(SCRIPT_GOALS)
check demo format:
	@scripts/$@

else

EXTENSION = mv_orchestrator
MODULE_big = mv_orchestrator
DATA = $(wildcard extension/*.sql)
SOURCES = $(wildcard src/*.cpp src/core/*.cpp src/pg/*.cpp src/api/*.cpp)
OBJS = $(SOURCES:.cpp=.o)

REGRESS = $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
REGRESS_OPTS = --inputdir=. --load-extension=mv_orchestrator
ISOLATION = $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation --outputdir=test/isolation --load-extension=mv_orchestrator
TAP_TESTS = 1
PROVE_TESTS = $(sort $(wildcard test/t/*.pl))

# The error bridge is tested by a module of its own, which is never installed.
BRIDGE_TEST = test/bridge/bridge_test.so
BRIDGE_OBJS = test/bridge/bridge_test.o $(filter-out src/module.o src/api/%,$(OBJS))
REGRESS_PREP = $(BRIDGE_TEST)

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
SERVER_INCLUDES := $(shell $(PG_CONFIG) --includedir-server)

PG_CPPFLAGS = -DFMT_HEADER_ONLY -Isrc -isystem $(SERVER_INCLUDES)
PG_CXXFLAGS = -std=c++20 -Wall -Wextra -Werror -Wno-register -MMD -MP
SHLIB_LINK = -lstdc++ -Wl,--version-script=exports.map
EXTRA_CLEAN = $(OBJS:.o=.d) test/bridge/*.o test/bridge/*.d $(BRIDGE_TEST) \
  test/isolation/results test/isolation/output_iso test/isolation/regression.*

# Bitcode for inlining would be compiled without -std and fail.
override with_llvm = no
include $(PGXS)

# PGXS appends the server's headers with -I, where their warnings would stop us.
override CPPFLAGS := $(filter-out -I$(SERVER_INCLUDES),$(CPPFLAGS))

$(BRIDGE_TEST): $(BRIDGE_OBJS)
	$(CXX) $(CXXFLAGS) $(CFLAGS_SL) -shared -Wl,-Bsymbolic -o $@ $^ $(LDFLAGS)

-include $(OBJS:.o=.d) test/bridge/bridge_test.d

endif
