#include "registry/credentials.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "base/time.h"
#include "json/json.h"
#include "registry/credential_helper.h"
#include "registry/host_names.h"
#include "support/user_environment.h"
#include "sys/fd.h"

using namespace mica;
using registry::Credential;
using registry::Credentials;
using support::UserEnvironment;

namespace {

std::string auth(std::string_view user_and_password) { return format("{{\"auth\": \"{}\"}}", base64(user_and_password)); }

/// "user:password from file", "token T", "error: ..."
std::string found(const UserEnvironment& user, const std::string& host, const std::string& path = "") {
  const auto credential = Credentials().find(host, path);
  if (!credential) return "error: " + credential.error().text();
  if (credential->anonymous()) return "anonymous";
  std::string text = credential->user + ":" + credential->password.reveal();
  if (!credential->identity_token.empty()) text += " identity " + credential->identity_token.reveal();
  if (!credential->registry_token.empty()) text += " registry " + credential->registry_token.reveal();
  const std::string source = replace_all(credential->source, user.home(), "~");
  return source == "~/.docker/config.json" ? text : text + " from " + source;
}

json::Value read_json(const std::string& path) {
  auto value = json::parse(sys::read_file(path).value());
  REQUIRE(value);
  return *value;
}

Credential password(std::string user, std::string secret) { return {.user = std::move(user), .password = Secret(std::move(secret))}; }

/// A helper that keeps its entries in files below $HOME/kept and notes each call in $HOME/calls.
constexpr std::string_view kKeeper = R"sh(#!/bin/sh
dir=$HOME/kept; mkdir -p "$dir"; input=$(cat)
echo "$1 $(printf %s "$input" | tr -d '\n')" >> "$HOME/calls"
name() { printf %s "$1" | tr '/:' '__'; }
case $1 in
  get) file=$dir/$(name "$input")
       [ -e "$file" ] || { echo "credentials not found in native keychain"; exit 1; }
       cat "$file" ;;
  store) server=$(printf %s "$input" | sed 's/.*"ServerURL":"\([^"]*\)".*/\1/'); printf '%s\n' "$input" > "$dir/$(name "$server")" ;;
  erase) rm -f "$dir/$(name "$input")" ;;
  list) echo '{"https://listed.example/v1/": "somebody"}' ;;
esac
)sh";

}  // namespace

TEST_CASE("names of registries are compared as people mean them") {
  struct Case {
    const char *text, *host;
  };
  for (const auto& [text, host] : {Case{"docker.io", "docker.io"}, {"index.docker.io", "docker.io"}, {"https://index.docker.io/v1/", "docker.io"},
                                   {"registry-1.docker.io", "docker.io"}, {"Registry.Example:5000", "registry.example:5000"}, {"https://h.example/v2/", "h.example"},
                                   {"h.example/team/app", "h.example"}, {"h.example.", "h.example"}, {"h.example.:5000", "h.example:5000"}, {"[::1]:5000", "[::1]:5000"}}) {
    CAPTURE(text);
    CHECK(registry::registry_host(text) == host);
  }
  CHECK(registry::same_registry("h.example:443", "H.example"));
  CHECK_FALSE(registry::same_registry("h.example:80", "h.example"));
  CHECK(registry::credential_key("docker.io") == "https://index.docker.io/v1/");
  CHECK(registry::credential_key("Localhost:5000") == "localhost:5000");
  for (const char* host : {"localhost", "LOCALHOST:5000", "127.0.0.1", "127.9.9.9:1", "[::1]:5000", "::1", "app.localhost"}) CHECK_MESSAGE(registry::is_loopback(host), host);
  for (const char* host : {"localhost.example", "128.0.0.1", "127.example", "[::2]:5000", "mylocalhost", "0.0.0.0"}) CHECK_FALSE_MESSAGE(registry::is_loopback(host), host);
}

TEST_CASE("auths are found by every form of key, the most special first") {
  UserEnvironment user;
  user.write(".docker/config.json", format(R"({{"auths": {{
    "https://index.docker.io/v1/access-token": {}, "https://index.docker.io/v1/": {},
    "plain.example": {}, "https://url.example/v1/": {}, "http://old.example": {}, "https://deep.example/some/page": {},
    "ns.example": {}, "ns.example/team": {}, "ns.example/team/app": {}, "ns.example/te": {},
    "both.example": {}, "https://both.example/v2/": {}, "marked.example": {{}}, "port.example:5000": {}}}}})",
    auth("web:token"), auth("hub:1"), auth("plain:2"), auth("url:3"), auth("old:4"), auth("deep:5"), auth("host:6"), auth("team:7"), auth("app:8"), auth("te:9"),
    auth("short:10"), auth("long:11"), auth("port:12")));
  struct Case {
    const char *host, *path, *expected;
  };
  for (const auto& [host, path, expected] :
       {Case{"docker.io", "library/alpine", "hub:1"}, {"index.docker.io", "", "hub:1"}, {"plain.example", "", "plain:2"}, {"PLAIN.example:443", "x", "plain:2"},
        {"url.example", "", "url:3"}, {"old.example", "a/b", "old:4"}, {"deep.example", "", "deep:5"}, {"ns.example", "", "host:6"}, {"ns.example", "other", "host:6"},
        {"ns.example", "team", "team:7"}, {"ns.example", "team/tool", "team:7"}, {"ns.example", "team/app", "app:8"}, {"ns.example", "team/app/sub", "app:8"},
        {"ns.example", "team2/app", "host:6"}, {"both.example", "", "short:10"}, {"marked.example", "", "anonymous"}, {"port.example:5000", "", "port:12"},
        {"port.example", "", "anonymous"}, {"port.example:5001", "", "anonymous"}, {"none.example", "", "anonymous"}, {"xplain.example", "", "anonymous"}}) {
    CAPTURE(host);
    CAPTURE(path);
    CHECK(found(user, host, path) == expected);
  }
}

TEST_CASE("entries hold passwords with colons, umlauts and padding, tokens, or names in the clear") {
  UserEnvironment user;
  struct Case {
    std::string entry, expected;
  };
  const std::vector<Case> cases = {
      {auth("ada:a:b:c"), "ada:a:b:c"},
      {auth("ada:pässword ü"), "ada:pässword ü"},
      {auth(std::string("ada:x\0\0", 7)), "ada:x"},
      {auth("ada:"), "ada:"},
      {R"({"username": "ada", "password": "p"})", "ada:p"},
      {format(R"({{"auth": "{}", "identitytoken": "abc"}})", base64("0000:")), "0000: identity abc"},
      {R"({"identitytoken": "abc"})", ": identity abc"},
      {R"({"registrytoken": "xyz"})", ": registry xyz"},
      {R"({"auth": "", "email": "a@b"})", "anonymous"},
      {R"({"auth": "!!!"})", "error: reading credentials for \"h.example\" from ~/.docker/config.json: \"auth\" is not the base64 form of user:password"},
      {format(R"({{"auth": "{}"}})", base64("nocolon")),
       "error: reading credentials for \"h.example\" from ~/.docker/config.json: \"auth\" is not the base64 form of user:password"},
  };
  for (const auto& [entry, expected] : cases) {
    CAPTURE(entry);
    user.write(".docker/config.json", format(R"({{"auths": {{"h.example": {}}}}})", entry));
    CHECK(replace_all(found(user, "h.example"), user.home(), "~") == expected);
  }
}

TEST_CASE("the places are asked in their order, and what is broken counts only when no other place has an answer") {
  UserEnvironment user;
  const auto file = [](std::string_view who) { return format(R"({{"auths": {{"h.example": {}}}}})", auth(std::string(who) + ":p")); };
  CHECK(found(user, "h.example") == "anonymous");
  user.write(".config/containers/auth.json", file("config"));
  CHECK(found(user, "h.example") == "config:p from ~/.config/containers/auth.json");
  user.write("run/containers/auth.json", file("runtime"));
  CHECK(found(user, "h.example") == "runtime:p from ~/run/containers/auth.json");
  user.write(".docker/config.json", file("docker"));
  CHECK(found(user, "h.example") == "docker:p");
  user.write("elsewhere/config.json", file("moved"));
  user.set("DOCKER_CONFIG", user.home() + "/elsewhere");
  CHECK(found(user, "h.example") == "moved:p from ~/elsewhere/config.json");
  CHECK(Credentials().config_path() == user.home() + "/elsewhere/config.json");
  user.write("named.json", file("named"));
  user.set("REGISTRY_AUTH_FILE", user.home() + "/named.json");
  CHECK(found(user, "h.example") == "named:p from ~/named.json");
  user.set("DOCKER_AUTH_CONFIG", file("variable"));
  CHECK(found(user, "h.example") == "variable:p from DOCKER_AUTH_CONFIG");
  user.set("DOCKER_AUTH_CONFIG", R"({"credsStore": "never", "auths": {}})");
  CHECK(found(user, "h.example") == "named:p from ~/named.json");

  user.set("DOCKER_AUTH_CONFIG", "{");
  CHECK(found(user, "h.example") == "named:p from ~/named.json");
  CHECK(found(user, "other.example").starts_with("error: reading credentials from DOCKER_AUTH_CONFIG: "));
  user.set("DOCKER_AUTH_CONFIG", "");
  user.write("named.json", "[]");
  CHECK(found(user, "other.example") == format("error: reading credentials from {}/named.json: it holds no JSON object", user.home()));
  user.write("named.json", R"({"auths": []})");
  CHECK(found(user, "other.example") == format("error: reading credentials from {}/named.json: \"auths\" is no object", user.home()));
  user.write("named.json", " \n");
  CHECK(found(user, "other.example") == "anonymous");
  user.set("XDG_CONFIG_HOME", user.home() + "/cfg");
  user.write("cfg/containers/auth.json", R"({"auths": {"xdg.example": {"username": "x", "password": "y"}}})");
  CHECK(found(user, "xdg.example") == "x:y from ~/cfg/containers/auth.json");
}

TEST_CASE("a helper goes before auths, and its word for nothing is no error") {
  UserEnvironment user;
  user.program("docker-credential-keeper", kKeeper);
  user.write("kept/h.example", R"({"ServerURL": "h.example", "Username": "ada", "Secret": "kept"})");
  user.write("kept/t.example", R"({"ServerURL": "t.example", "Username": "<token>", "Secret": "refresh"})");
  user.write("kept/https___index.docker.io_v1_", R"({"Username": "hub", "Secret": "s"})");
  user.write("kept/docker.io", R"({"Username": "wrong", "Secret": "s"})");
  const std::string stale = format(R"("auths": {{"h.example": {0}, "gone.example": {0}, "file.example": {0}}})", auth("stale:old"));
  const std::string from = " from docker-credential-keeper (named in ~/.docker/config.json)";

  user.write(".docker/config.json", format(R"({{"credsStore": "keeper", "credHelpers": {{"file.example": ""}}, {}}})", stale));
  CHECK(found(user, "h.example") == "ada:kept" + from);
  CHECK(found(user, "t.example") == ": identity refresh" + from);
  CHECK(found(user, "docker.io") == "hub:s" + from);
  CHECK(found(user, "gone.example") == "anonymous");
  CHECK(found(user, "file.example") == "stale:old");

  user.write(".docker/config.json", format(R"({{"credHelpers": {{"h.example": "keeper", "https://index.docker.io/v1/": "keeper"}}, {}}})", stale));
  CHECK(found(user, "h.example") == "ada:kept" + from);
  CHECK(found(user, "docker.io") == "hub:s" + from);
  CHECK(found(user, "gone.example") == "stale:old");

  // podman's way of naming the hub.
  sys::remove_file(user.home() + "/kept/https___index.docker.io_v1_").value();
  user.write(".docker/config.json", R"({"credHelpers": {"docker.io": "keeper"}})");
  CHECK(found(user, "docker.io") == "wrong:s" + from);

  // Once for each registry, whoever asks.
  sys::remove_file(user.home() + "/calls").value();
  user.write(".docker/config.json", R"({"credsStore": "keeper"})");
  const Credentials first;
  const Credentials second = first;
  for (const Credentials& each : {first, second})
    for (int i = 0; i < 3; ++i) CHECK(each.find("h.example", format("team/{}", i)).value().user == "ada");
  CHECK(sys::read_file(user.home() + "/calls").value() == "get h.example\n");
  CHECK(first.known_hosts() == std::vector<std::string>{"listed.example"});
}

TEST_CASE("a helper that is missing, broken, slow or wordy is named with its words and the file that asks for it") {
  UserEnvironment user;
  struct Case {
    const char *name, *script, *expected;
  };
  for (const auto& [name, script, expected] :
       {Case{"absent", nullptr, "there is no such program in PATH"},
        {"says", "echo 'the vault is sealed'; exit 3", "get: exit status 3: the vault is sealed"},
        {"cries", "echo 'no display' >&2; exit 1", "get: exit status 1: no display"},
        {"mute", "exit 1", "get: exit status 1"},
        {"killed", "kill -9 $$", "get: ended by signal 9"},
        {"html", "echo '<html>secret'", "its answer to \"get\" is no JSON object"},
        {"escape", "printf 'a\\033[31mb\\n'; exit 1", "get: exit status 1: a [31mb"},
        {"flood", "exec yes", "more than 1048576 bytes in answer to \"get\""}}) {
    CAPTURE(name);
    if (script) user.program(format("docker-credential-{}", name), format("#!/bin/sh\n{}\n", script));
    user.write(".docker/config.json", format(R"({{"credsStore": "{}", "auths": {{"h.example": {}}}}})", name, auth("stale:old")));
    const auto credential = Credentials().find("h.example");
    REQUIRE_FALSE(credential);
    CHECK(credential.error().code() == Errc::unavailable);
    CHECK(credential.error().text() == format("docker-credential-{} (named by \"credsStore\" in {}/.docker/config.json): {}", name, user.home(), expected));
    // podman's file has it: no reason to stop.
    user.write("run/containers/auth.json", format(R"({{"auths": {{"h.example": {}}}}})", auth("pod:man")));
    CHECK(found(user, "h.example") == "pod:man from ~/run/containers/auth.json");
    sys::remove_file(user.home() + "/run/containers/auth.json").value();
  }
  user.write(".docker/config.json", R"({"credsStore": "../../bin/evil"})");
  CHECK(Credentials().find("h.example").error().code() == Errc::invalid_argument);
}

TEST_CASE("a helper gets its request to the end and has its time; what it leaves in the background is not waited for") {
  UserEnvironment user;
  user.program("docker-credential-slow", "#!/bin/sh\nexec sleep 60\n");
  user.program("docker-credential-agent", "#!/bin/sh\ncat > \"$HOME/input\"\nsleep 60 &\necho $! > \"$HOME/agent\"\necho '{\"Username\": \"u\", \"Secret\": \"s\"}'\n");
  const std::int64_t start = monotonic_ns();
  auto slow = registry::CredentialHelper("slow", "a test", 200).get("h.example", {});
  CHECK(slow.error().text() == "docker-credential-slow (named by a test): no answer to \"get\" within 1 s");
  auto stopped = task::Cancel::create();
  stopped.stop();
  CHECK(registry::CredentialHelper("slow", "a test").get("h.example", stopped).error().code() == Errc::cancelled);
  auto agent = registry::CredentialHelper("agent", "a test").get("h.example", {});
  REQUIRE(agent);
  CHECK((*agent)->user == "u");
  CHECK(sys::read_file(user.home() + "/input").value() == "h.example");
  ::kill(static_cast<pid_t>(parse_int(trim(sys::read_file(user.home() + "/agent").value())).value()), SIGKILL);
  CHECK(monotonic_ns() - start < 20'000'000'000);
  // One that reads nothing of a large request is no reason to die of SIGPIPE.
  user.program("docker-credential-deaf", "#!/bin/sh\nexit 0\n");
  CHECK(registry::CredentialHelper("deaf", "a test").store("h.example", {.user = "u", .secret = Secret(std::string(200'000, 'x'))}, {}));
}

TEST_CASE("storing in config.json keeps what is not ours, closes the file to others and follows links") {
  UserEnvironment user;
  const std::string path = user.home() + "/.docker/config.json";
  SUBCASE("no file yet") {
    const auto stored = Credentials().store("docker.io", password("ada", "pw"));
    REQUIRE(stored);
    CHECK(stored->where == path);
    CHECK(stored->plain_text);
    CHECK(sys::read_file(path).value() ==
          format("{{\n\t\"auths\": {{\n\t\t\"https://index.docker.io/v1/\": {{\n\t\t\t\"auth\": \"{}\"\n\t\t}}\n\t}}\n}}\n", base64("ada:pw")));
    struct stat info{};
    REQUIRE(::stat(dir_name(path).c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0700);
  }
  SUBCASE("a file with more in it") {
    user.write(".docker/config.json", R"({"psFormat": "table  {{.ID}}\t", "auths": {"other.example": {"auth": "b3RoZXI6cHc=", "email": "x"}}, "proxies": {"default": {}}, "n": 12345678901234567})");
    ::chmod(path.c_str(), 0644);
    REQUIRE(Credentials().store("h.example:5000", password("ada", "p:w")));
    auto expected = json::parse(R"({"psFormat": "table  {{.ID}}\t", "auths": {"other.example": {"auth": "b3RoZXI6cHc=", "email": "x"}, "h.example:5000": {"auth": "YWRhOnA6dw=="}},
                                    "proxies": {"default": {}}, "n": 12345678901234567})");
    CHECK(read_json(path) == expected.value());
    struct stat info{};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0600);
  }
  SUBCASE("a link, and one into nowhere") {
    user.write("dotfiles/docker.json", "{}");
    sys::make_directories(user.home() + "/.docker").value();
    REQUIRE(::symlink("../dotfiles/docker.json", path.c_str()) == 0);
    REQUIRE(Credentials().store("h.example", password("ada", "pw")));
    CHECK(read_json(user.home() + "/dotfiles/docker.json").find("auths"));
    sys::remove_file(user.home() + "/dotfiles/docker.json").value();
    REQUIRE(Credentials().store("h.example", password("ada", "pw")));
    CHECK(read_json(user.home() + "/dotfiles/docker.json").find("auths"));
    struct stat info{};
    REQUIRE(::lstat(path.c_str(), &info) == 0);
    CHECK(S_ISLNK(info.st_mode));
  }
  SUBCASE("a file that does not parse is left alone") {
    user.write(".docker/config.json", "{\"auths\": {");
    const auto stored = Credentials().store("h.example", password("ada", "pw"));
    CHECK(stored.error().code() == Errc::invalid_argument);
    CHECK(stored.error().text().find(path) != std::string::npos);
    CHECK(sys::read_file(path).value() == "{\"auths\": {");
    CHECK(Credentials().erase("h.example").error().code() == Errc::invalid_argument);
  }
  SUBCASE("tokens") {
    REQUIRE(Credentials().store("h.example", {.user = "ada", .identity_token = Secret("refresh")}));
    CHECK(found(user, "h.example") == "ada: identity refresh");
    const Credentials kept;
    REQUIRE(kept.store("h.example", password("bob", "pw")));
    CHECK(kept.find("h.example").value().user == "bob");
    CHECK(found(user, "h.example") == "bob:pw");
  }
  // Nothing temporary is left beside it.
  const auto names = sys::list_names(sys::open(user.home() + "/.docker", O_RDONLY | O_DIRECTORY).value()).value();
  CHECK(names == std::vector<std::string>{"config.json"});
}

TEST_CASE("with a helper the secret is only there, and the file has an empty mark") {
  UserEnvironment user;
  user.program("docker-credential-keeper", kKeeper);
  user.write(".docker/config.json", R"({"credsStore": "keeper"})");
  const std::string path = user.home() + "/.docker/config.json";
  const auto stored = Credentials().store("docker.io", password("ada", "pw \"x\""));
  REQUIRE(stored);
  CHECK(stored->where == "docker-credential-keeper");
  CHECK_FALSE(stored->plain_text);
  CHECK(read_json(path) == json::parse(R"({"credsStore": "keeper", "auths": {"https://index.docker.io/v1/": {}}})").value());
  CHECK(sys::read_file(user.home() + "/calls").value() == R"(store {"ServerURL":"https://index.docker.io/v1/","Username":"ada","Secret":"pw \"x\""})" "\n");
  CHECK(found(user, "docker.io") == "ada:pw \"x\" from docker-credential-keeper (named in ~/.docker/config.json)");
  CHECK(Credentials().erase("docker.io").value());
  CHECK(found(user, "docker.io") == "anonymous");
  CHECK_FALSE(Credentials().erase("docker.io").value());

  user.write(".docker/config.json", R"({"credsStore": "gone", "auths": {"h.example": {}}})");
  CHECK(Credentials().store("h.example", password("ada", "pw")).error().code() == Errc::unavailable);
  CHECK(Credentials().erase("h.example").error().code() == Errc::unavailable);
  CHECK(read_json(path) == json::parse(R"({"credsStore": "gone", "auths": {}})").value());
}

TEST_CASE("erasing removes every form of the host's key and nothing else") {
  UserEnvironment user;
  user.write(".docker/config.json", R"({"auths": {"h.example": {}, "https://h.example/v1/": {"auth": "YTpi"}, "http://h.example": {}, "h.example/team": {"auth": "YTpi"}, "other.example": {}}})");
  CHECK(Credentials().erase("https://H.example/v2/").value());
  CHECK(read_json(user.home() + "/.docker/config.json") == json::parse(R"({"auths": {"h.example/team": {"auth": "YTpi"}, "other.example": {}}})").value());
  CHECK_FALSE(Credentials().erase("h.example").value());
  sys::remove_file(user.home() + "/.docker/config.json").value();
  CHECK_FALSE(Credentials().erase("h.example").value());
  CHECK_FALSE(sys::exists(user.home() + "/.docker/config.json"));
  CHECK(Credentials().known_hosts().empty());
}
