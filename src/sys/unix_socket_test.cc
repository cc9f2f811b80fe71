#include "sys/unix_socket.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

using namespace mica;

TEST_CASE("a socket in a folder with a long name can be reached") {
  auto top = sys::TempDir::create("/tmp", "unix-socket").value();
  const std::string folder = top.path() + "/" + std::string(150, 'x');
  REQUIRE(sys::make_directories(folder));
  CHECK(sys::connect_unix(folder, "s").error().code() == Errc::not_found);
  {
    const auto first = sys::listen_unix(folder, "s");
    REQUIRE(first);
    CHECK_FALSE(*sys::accept_unix(*first));
  }
  CHECK(sys::connect_unix(folder, "s").error().code() == Errc::unavailable);
  const auto listener = sys::listen_unix(folder, "s");   // takes the dead one's place
  REQUIRE(listener);
  const auto client = sys::connect_unix(folder, "s");
  REQUIRE(client);
  auto server = sys::accept_unix(*listener).value();
  REQUIRE(server);
  REQUIRE(sys::write_all(*client, "hello"));
  char text[8] = {};
  CHECK(::read(server->get(), text, sizeof text) == 5);
}

TEST_CASE("a descriptor goes through a socket") {
  auto pair = sys::socket_pair().value();
  const auto file = sys::open("/dev/null", O_RDONLY).value();
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  char byte = 'x';
  iovec part{.iov_base = &byte, .iov_len = 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int number = file.get();
  std::memcpy(CMSG_DATA(header), &number, sizeof number);
  REQUIRE(::sendmsg(pair.first.get(), &message, 0) == 1);
  const auto received = sys::receive_descriptor(pair.second);
  REQUIRE(received);
  CHECK(sys::stat_fd(*received)->st_rdev == sys::stat_fd(file)->st_rdev);
  pair.first.reset();
  CHECK(sys::receive_descriptor(pair.second).error().code() == Errc::unavailable);
}
