#include "cli/build_request.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>

#include "cli/build_flags.h"
#include "sys/fd.h"

namespace mica::cli {
namespace {

using engine::BuildAction;
using Words = std::vector<std::string>;
using Kind = engine::BuildOutput::Kind;

Result<BuildCall> call_of(Words words) {
  words.emplace_back(".");
  const auto args = TRY(parse_args(kBuildFlags, words, false));
  return build_call(args);
}
BuildCall good(Words words) {
  auto call = call_of(std::move(words));
  REQUIRE_MESSAGE(call, (call ? std::string() : call.error().text()));
  return std::move(*call);
}
Error bad(Words words) {
  auto call = call_of(std::move(words));
  REQUIRE(!call);
  return call.error();
}

/// An environment variable for the length of a test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }

 private:
  const char* name_;
};

TEST_CASE("without flags a build keeps its image and has the network") {
  const BuildCall call = good({});
  CHECK(call.request.context.context == ".");
  CHECK(call.request.action == BuildAction::build);
  CHECK(call.request.network == "default");
  CHECK(call.request.shm_bytes == 64 << 20);
  CHECK(call.request.outputs.empty());
  CHECK(call.request.platforms.empty());
  CHECK(call.progress == "auto");
}

TEST_CASE("flags reach the request") {
  const BuildCall call = good({"-t", "a", "-ta:b", "-f", "docker/Dockerfile", "--target", "app", "--build-arg", "A=1", "--build-arg", "B", "--label", "k=v", "--annotation=x=y",
                               "--no-cache", "--pull", "--build-context", "n=v", "--cgroup-parent", "/p", "--shm-size", "128m", "--ulimit", "nofile=10:20", "--ca", "host",
                               "--timestamp", "17", "--explain", "--replay-logs", "-D", "--iidfile", "id", "--metadata-file", "meta", "--rm", "--force-rm=false", "--builder", "x"});
  const auto& request = call.request;
  CHECK(request.tags == Words{"a", "a:b"});
  CHECK(request.context.dockerfile == "docker/Dockerfile");
  CHECK(request.target == "app");
  CHECK(request.build_args == Words{"A=1", "B"});
  CHECK(request.labels == Words{"k=v"});
  CHECK(request.annotations == Words{"x=y"});
  CHECK(request.no_cache);
  CHECK(request.pull);
  CHECK(request.build_contexts == Words{"n=v"});
  CHECK(request.cgroup_parent == "/p");
  CHECK(request.shm_bytes == 128 << 20);
  REQUIRE(request.rlimits.size() == 1);
  CHECK(request.rlimits[0].type == "RLIMIT_NOFILE");
  CHECK(request.rlimits[0].soft == 10);
  CHECK(request.rlimits[0].hard == 20);
  CHECK(request.ca == "host");
  CHECK(request.timestamp == "17");
  CHECK(request.explain);
  CHECK(request.replay_logs);
  CHECK(request.debug_shell);
  CHECK(call.iid_file == "id");
  CHECK(call.metadata_file == "meta");
}

TEST_CASE("some lists have commas") {
  const BuildCall call = good({"--platform", "linux/amd64,linux/arm64", "--platform=linux/386", "--no-cache-filter", "a, b", "--add-host", "x:1.2.3.4,y=[::1]"});
  CHECK(call.request.platforms == Words{"linux/amd64", "linux/arm64", "linux/386"});
  CHECK(call.request.no_cache_filter == Words{"a", "b"});
  CHECK(call.request.add_hosts == Words{"x=1.2.3.4", "y=::1"});
}

TEST_CASE("outputs, and --load as one more of them") {
  CHECK(good({"-o", "out"}).request.outputs[0].kind == Kind::local);
  CHECK(good({"--load"}).request.outputs[0].kind == Kind::docker);
  CHECK(good({"--load", "-o", "type=image"}).request.outputs.size() == 1);
  CHECK(good({"--load", "-o", "type=local,dest=out"}).request.outputs.size() == 2);
  CHECK(good({"--load", "-o", "type=docker,dest=file"}).request.outputs.size() == 2);
  CHECK(bad({"-o", "type=bogus"}).code() == Errc::invalid_argument);
}

TEST_CASE("what to do instead of building") {
  CHECK(good({"--check"}).request.action == BuildAction::check);
  CHECK(good({"--call=check"}).request.action == BuildAction::check);
  CHECK(good({"--call", "check,format=json"}).json);
  CHECK(good({"--call=targets"}).request.action == BuildAction::targets);
  CHECK(good({"--call=build"}).request.action == BuildAction::build);
  CHECK(good({"--call="}).request.action == BuildAction::build);
  CHECK(good({"--dry-run"}).request.action == BuildAction::dry_run);
  CHECK(bad({"--call=outline"}).code() == Errc::unsupported);
  CHECK(bad({"--call=bogus"}).code() == Errc::invalid_argument);
  CHECK(bad({"--call=check,format=xml"}).code() == Errc::invalid_argument);
  CHECK(bad({"--check", "--call=targets"}).code() == Errc::invalid_argument);
  CHECK(bad({"--check", "--dry-run"}).code() == Errc::invalid_argument);
}

TEST_CASE("the host's network is allowed by asking for it") {
  CHECK(good({"--network=host"}).request.allow == Words{"network.host"});
  CHECK(good({"--network=none"}).request.allow.empty());
  CHECK(good({"--network="}).request.network == "default");
  CHECK(bad({"--network=mine"}).code() == Errc::unsupported);
}

TEST_CASE("entitlements are known or refused") {
  CHECK(good({"--allow", "network.host,security.insecure"}).request.allow == Words{"network.host", "security.insecure"});
  CHECK(good({"--allow", "fs.read=/x"}).request.allow.size() == 1);
  CHECK(bad({"--allow", "device"}).code() == Errc::unsupported);
  CHECK(bad({"--allow", "network.hosts"}).hint() == "did you mean network.host?");
}

TEST_CASE("attestations may be switched off only") {
  good({"--provenance=false", "--sbom=false", "--attest", "type=provenance,disabled=true"});
  CHECK(bad({"--provenance=true"}).code() == Errc::unsupported);
  CHECK(bad({"--provenance", "mode=max"}).code() == Errc::unsupported);
  CHECK(bad({"--sbom=true"}).code() == Errc::unsupported);
  CHECK(bad({"--attest", "type=sbom"}).code() == Errc::unsupported);
}

TEST_CASE("values that Docker's flag parser refuses end with its status") {
  CHECK(bad({"--ulimit", "x"}).exit_status() == 125);
  CHECK(bad({"--shm-size", "x"}).exit_status() == 125);
  CHECK(bad({"--shm-size", "x"}).text().starts_with("invalid argument \"x\" for \"--shm-size\" flag: "));
  CHECK(bad({"--build-arg", "=x"}).exit_status() == 0);
}

TEST_CASE("flags of the classic builder are refused by name") {
  for (const std::string flag : {"--squash", "--compress", "--memory=1g", "-m=1g", "--cpu-shares=2", "--security-opt=x", "--isolation=x"}) {
    const Error error = bad({flag});
    CHECK_MESSAGE(error.code() == Errc::unsupported, flag);
  }
}

TEST_CASE("--push makes the image output one that is pushed, or adds one") {
  using Kind = engine::BuildOutput::Kind;
  const auto alone = good({"--push"}).request.outputs;
  REQUIRE(alone.size() == 1);
  CHECK(alone[0].kind == Kind::image);
  CHECK(alone[0].push);
  const auto beside = good({"--push", "-o", "type=oci,dest=x.tar"}).request.outputs;
  REQUIRE(beside.size() == 2);
  CHECK_FALSE(beside[0].push);
  CHECK(beside[1].push);
  const auto joined = good({"--push", "-o", "type=image,compression=zstd"}).request.outputs;
  REQUIRE(joined.size() == 1);
  CHECK(joined[0].push);
  CHECK(good({"-o", "type=registry"}).request.outputs[0].push);
}

TEST_CASE("quiet is a progress of its own") {
  CHECK(good({"-q"}).progress == "quiet");
  CHECK(good({"-q", "--progress=auto"}).progress == "quiet");
  CHECK(bad({"-q", "--progress=plain"}).code() == Errc::invalid_argument);
  CHECK(good({"--progress=plain"}).progress == "plain");
  const Variable preferred("BUILDKIT_PROGRESS", "rawjson");
  CHECK(good({}).progress == "rawjson");
  CHECK(good({"--progress=tty"}).progress == "tty");
  CHECK(good({"-q"}).progress == "quiet");
}

TEST_CASE("the default platform comes from the environment") {
  const Variable platform("DOCKER_DEFAULT_PLATFORM", "linux/arm64");
  CHECK(good({}).request.platforms == Words{"linux/arm64"});
  CHECK(good({"--platform=linux/386"}).request.platforms == Words{"linux/386"});
}

TEST_CASE("a secret that is not there is an error that names the flag") {
  const Error error = bad({"--secret", "id=x,src=/nonexistent/secret"});
  CHECK(error.code() == Errc::not_found);
  CHECK(error.text().find("secret") != std::string::npos);
}

TEST_CASE("proxies of the client's configuration become build arguments") {
  const std::string path = "/tmp/mica-build-request-test-" + std::to_string(::getpid());
  REQUIRE(sys::write_file(path, R"({"auths": {}, "proxies": {"default": {"httpProxy": "http://p:1", "noProxy": "localhost"}}})"));
  Words build_args = {"A=1"};
  add_configured_proxies(path, build_args);
  CHECK(build_args == Words{"A=1", "HTTP_PROXY=http://p:1", "NO_PROXY=localhost"});
  Words given = {"http_proxy=mine", "NO_PROXY"};
  add_configured_proxies(path, given);
  CHECK(given == Words{"http_proxy=mine", "NO_PROXY"});
  REQUIRE(sys::write_file(path, "not json"));
  Words none;
  add_configured_proxies(path, none);
  add_configured_proxies("/nonexistent", none);
  add_configured_proxies("", none);
  CHECK(none.empty());
  ::unlink(path.c_str());
}

TEST_CASE("the client's configuration is where Docker has it") {
  const Variable folder("DOCKER_CONFIG", "/x");
  CHECK(client_config_file() == "/x/config.json");
}

}  // namespace
}  // namespace mica::cli
