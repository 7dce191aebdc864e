// The bridge from the server's errors to C++: a longjmp never crosses a C++ frame.
#pragma once

#include <exception>
#include <memory>
#include <type_traits>

#include "pg/prelude.hpp"

namespace mvo::pg {

// An error that the server raised, whole: SQLSTATE, message, detail, hint, context, position,
// fields and source line. It owns its copy, which outlives subtransactions and memory contexts.
class PgError : public std::exception {
 public:
  // Takes the error from the top of the server's error stack. Only run_guarded calls it.
  static PgError take();

  const char* what() const noexcept override;
  int sqlstate() const { return data().sqlerrcode; }
  // A cancel, a time limit or a shutdown: nobody may swallow it.
  bool is_interrupt() const;
  // One that the server raised itself: the code alone can be raised by any function, too.
  bool is_own_interrupt() const;

  ErrorData& data() { return *owned_->data; }
  const ErrorData& data() const { return *owned_->data; }
  // Room for texts that are put into data().
  MemoryContext memory() const { return owned_->memory; }

  // Gives the error up to `parent`, whose reset frees it; used to raise it again.
  ErrorData* hand_over(MemoryContext parent);

 private:
  struct Owned {
    MemoryContext memory = nullptr;
    ErrorData* data = nullptr;
    ~Owned();
  };
  std::shared_ptr<Owned> owned_ = std::make_shared<Owned>();
};

namespace detail {

// Runs body(state); whether the server raised an error, which then is still on its error stack.
bool raised(void (*body)(void*), void* state);
void run_guarded(void (*body)(void*), void* state);

}  // namespace detail

// Runs a few lines that only call the server: an error that they raise is thrown as PgError. The
// lines may be left by a longjmp at any call, so nothing in them may need a destructor; what the
// compiler can check of that, captures by value and the result, it does.
template <class Body>
auto call(Body body) -> std::invoke_result_t<Body> {
  using Result = std::invoke_result_t<Body>;
  static_assert(std::is_trivially_destructible_v<Body>, "capture by reference");
  if constexpr (std::is_void_v<Result>) {
    detail::run_guarded([](void* state) { (*static_cast<Body*>(state))(); }, &body);
  } else {
    static_assert(std::is_trivially_destructible_v<Result>, "convert the result outside");
    struct {
      Body* body;
      Result result;
    } state{&body, {}};
    detail::run_guarded(
        [](void* opaque) {
          auto* inner = static_cast<decltype(&state)>(opaque);
          inner->result = (*inner->body)();
        },
        &state);
    return state.result;
  }
}

// Lets a pending cancel or terminate through.
inline void check_for_interrupts() {
  if (INTERRUPTS_PENDING_CONDITION()) call([] { ProcessInterrupts(); });
}

}  // namespace mvo::pg
