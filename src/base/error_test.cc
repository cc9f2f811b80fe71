#include "base/error.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <thread>

#include "base/format.h"
#include "base/guarded.h"
#include "base/secret.h"

using namespace mica;

namespace {
Result<int> number(bool good) {
  if (!good) return failf(Errc::not_found, "no such image: {}", quoted("app"));
  return 7;
}
Result<int> doubled(bool good) { return 2 * TRY(number(good)); }
Result<> checked(bool good, int* described) {
  TRY_DOING(number(good), format("looking {}", ++*described));
  return {};
}
Result<std::unique_ptr<int>> moved() {
  auto value = TRY(Result<std::unique_ptr<int>>(std::make_unique<int>(3)));
  return value;
}
}  // namespace

TEST_CASE("TRY unwraps a value and returns an error") {
  CHECK(doubled(true) == 14);
  CHECK(doubled(false).error().code() == Errc::not_found);
  CHECK(**moved() == 3);
}

TEST_CASE("TRY_DOING builds its text only on failure") {
  int described = 0;
  CHECK(checked(true, &described));
  CHECK(described == 0);
  CHECK(checked(false, &described).error().text() == "looking 1: no such image: \"app\"");
}

TEST_CASE("an error prints actions outermost first, then position, text, excerpt and hint") {
  Error error = Error(Errc::internal, "exit status 2").doing("RUN make").doing("building app");
  error = std::move(error).at({.file = "Dockerfile", .line = 12, .excerpt = "  12 | RUN make\n"}).with_hint("try again").with_exit_status(2);
  CHECK(error.text() == "building app: RUN make: Dockerfile:12: exit status 2");
  CHECK(error.full_text() == "building app: RUN make: Dockerfile:12: exit status 2\n  12 | RUN make\n  hint: try again");
  CHECK(error.exit_status() == 2);
  const Error copy = error;
  CHECK(copy.text() == error.text());
  CHECK(std::move(error).at({.file = "other", .line = 1}).position()->file == "Dockerfile");
  CHECK(sizeof(Error) == sizeof(void*));
}

TEST_CASE("OS numbers become codes") {
  struct Case { int number; Errc code; };
  for (const auto& [number, code] : std::initializer_list<Case>{
           {ENOENT, Errc::not_found}, {EEXIST, Errc::already_exists}, {EACCES, Errc::permission_denied}, {EROFS, Errc::permission_denied},
           {ENOSPC, Errc::resource_exhausted}, {EBUSY, Errc::conflict}, {ENOSYS, Errc::unsupported}, {EIO, Errc::corrupt}})
    CHECK_MESSAGE(Error::os(number, "opening x").code() == code, number);
  errno = ENOENT;
  const Result<> failed = fail_errno("opening x");
  CHECK(failed.error().text() == "opening x: No such file or directory");
  CHECK(failed.error().os_number() == ENOENT);
  CHECK(name(Errc::not_found) == "not_found");
}

TEST_CASE("a secret does not print itself") {
  CHECK(format("token={}", Secret("hunter2")) == "token=***");
  CHECK(Secret("hunter2").reveal() == "hunter2");
}

TEST_CASE("a guarded value takes turns") {
  Guarded<int> count;
  auto add = [&] { for (int i = 0; i < 1000; ++i) ++*count.lock(); };
  std::thread other(add);
  add();
  other.join();
  CHECK(*count.lock() == 2000);
}
