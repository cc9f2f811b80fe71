// The real thing, where this machine has it.
#include "runtime/network.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "base/text.h"
#include "runtime/container_fixture.h"
#include "support/http_server.h"
#include "sys/lock.h"

using namespace mica;
using runtime::BuildNetwork;
using runtime::Container;
using runtime::ProcessSpec;

namespace {

std::unique_ptr<BuildNetwork> network(const Container& container) {
  auto made = runtime::make_build_network(container.temporary(), container.temporary(), {});
  if (!made && made.error().code() == Errc::unsupported) {
    MESSAGE("skipped: " << made.error().full_text());
    return nullptr;
  }
  REQUIRE_MESSAGE(made, made.error().full_text());
  return std::move(*made);
}

ProcessSpec in(const BuildNetwork& network, ProcessSpec spec) {
  spec.network = runtime::NetworkMode::namespace_path;
  spec.network_namespace = network.namespace_path();
  return spec;
}

}  // namespace

TEST_CASE("a network leads to the host and knows its own address, and is gone afterwards") {
  MICA_NEEDS_CONTAINERS();
  Container container;
  auto net = network(container);
  if (!net) return;
  const std::string path = net->namespace_path();
  auto ran = container.run(in(*net, container.spec("ip -4 addr show dev eth0; ip route; ping -c 1 -W 2 " + net->gateway())));
  CHECK_MESSAGE(ran.status() == 0, ran.err);
  CHECK(ran.out.find("inet " + net->address() + "/24") != std::string::npos);
  CHECK(ran.out.find("default via " + net->gateway()) != std::string::npos);
  CHECK(net->nameservers().empty());

  support::HttpServer server([](const support::Received& request, const support::Peer& peer) { return peer.reply(200, "served " + request.target); },
                             net->gateway().c_str());
  ran = container.run(in(*net, container.spec("wget -q -O - " + server.url("/file", net->gateway()))));
  CHECK_MESSAGE(ran.out == "served /file", ran.err);
  // Without it there is no way.
  CHECK(container.run("wget -q -T 2 -O - " + server.url("/file", net->gateway())).status() != 0);

  CHECK(sys::exists(path));
  net.reset();
  CHECK_FALSE(sys::exists(path));
}

TEST_CASE("networks at the same time have addresses of their own, given back at the end") {
  MICA_NEEDS_CONTAINERS();
  Container container;
  std::vector<std::unique_ptr<BuildNetwork>> networks(4);
  std::vector<std::thread> threads;
  if (networks[0] = network(container); !networks[0]) return;
  for (std::size_t i = 1; i < networks.size(); ++i)
    threads.emplace_back([&, i] {
      auto made = runtime::make_build_network(container.temporary(), container.temporary(), {});
      if (made) networks[i] = std::move(*made);
    });
  for (auto& thread : threads) thread.join();
  std::vector<std::string> addresses;
  for (const auto& one : networks) {
    REQUIRE(one);
    CHECK(one->gateway() == networks[0]->gateway());
    CHECK(std::find(addresses.begin(), addresses.end(), one->address()) == addresses.end());
    addresses.push_back(one->address());
  }
  // They are neighbours on one bridge.
  const auto ran = container.run(in(*networks[0], container.spec("ping -c 1 -W 2 " + networks[3]->address())));
  CHECK_MESSAGE(ran.status() == 0, ran.err);
  const std::string held = "/run/mica/network/" + addresses[0];
  if (sys::exists(held)) {
    CHECK_FALSE(sys::FileLock::try_acquire(held, sys::LockMode::exclusive));
    networks.clear();
    CHECK(sys::FileLock::try_acquire(held, sys::LockMode::exclusive));
  }
}

TEST_CASE("a network that is not wanted any more is not made") {
  auto cancel = task::Cancel::create();
  cancel.stop();
  auto made = runtime::make_build_network("/tmp", "/tmp", cancel);
  REQUIRE_FALSE(made);
  CHECK(made.error().code() == Errc::cancelled);
}
