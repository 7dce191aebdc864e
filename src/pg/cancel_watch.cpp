#include "pg/cancel_watch.hpp"

#include <csignal>

extern "C" {
#include <utils/timeout.h>
}

namespace mvo::pg {
namespace {

volatile unsigned cancels = 0;
int watches = 0;
struct sigaction servers_action;

// Those of the server's timeouts are sent by this process itself.
bool is_lock_timeout(const siginfo_t& info) {
  return info.si_pid == MyProcPid && get_timeout_indicator(LOCK_TIMEOUT, false) &&
         !get_timeout_indicator(STATEMENT_TIMEOUT, false);
}

void note_cancel(int signal, siginfo_t* info, void* context) {
  if (!is_lock_timeout(*info)) cancels = cancels + 1;
  if ((servers_action.sa_flags & SA_SIGINFO) != 0)
    servers_action.sa_sigaction(signal, info, context);
  else
    servers_action.sa_handler(signal);
}

void listen() {
  sigaction(SIGINT, nullptr, &servers_action);
  if (servers_action.sa_handler == SIG_IGN || servers_action.sa_handler == SIG_DFL) return;
  struct sigaction ours = servers_action;
  ours.sa_flags |= SA_SIGINFO;
  ours.sa_sigaction = note_cancel;
  sigaction(SIGINT, &ours, nullptr);
}

}  // namespace

CancelWatch::CancelWatch() : before_(cancels) {
  if (watches++ == 0) listen();
}

CancelWatch::~CancelWatch() {
  if (--watches == 0) sigaction(SIGINT, &servers_action, nullptr);
}

bool CancelWatch::heard() const {
  return cancels != before_;
}

void CancelWatch::raise_if_heard() const {
  if (!heard()) return;
  QueryCancelPending = true;
  InterruptPending = true;
  check_for_interrupts();
}

}  // namespace mvo::pg
