// The cases of tests/corpus as far as planning goes: config and history as Docker made them, and its errors.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "base/text.h"
#include "build/planner.h"
#include "dockerfile/parser.h"
#include "support/fake_bases.h"

using namespace mica;
using namespace mica::build;
namespace fs = std::filesystem;

namespace {

/// Not of the planner: the context or the command line makes these fail, or a step when it runs. They must plan.
const std::set<std::string> kFailsLater = {"313", "505", "515", "516", "531", "539", "611", "612", "615", "616", "618",
                                           "624", "650", "652", "706", "711", "805", "906", "908", "909", "918"};
/// No Dockerfile comes to the planner: it is missing, or inside a tar on standard input.
const std::set<std::string> kNoDockerfile = {"019", "024", "025"};
/// Errors that we word otherwise than Docker does, because it says less or names its own parts.
const std::map<std::string, std::string> kOtherWords = {
    {"217", "syntax error: missing '}'"},
    {"424", "failed to parse platform linux/nope/x/y: invalid platform \"linux/nope/x/y\""},
    {"543", "network.host is not allowed"}};

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Output of a bash script, split at NUL bytes.
std::vector<std::string> bash(const fs::path& folder, const std::string& script) {
  const fs::path file = folder / ".script";
  std::ofstream(file) << script;
  FILE* pipe = ::popen(("cd '" + folder.string() + "' && bash .script").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  char buffer[4096];
  for (std::size_t n = 0; (n = ::fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, n);
  REQUIRE(::pclose(pipe) == 0);
  fs::remove(file);
  std::vector<std::string> parts;
  for (const std::string_view part : split(out, '\0')) parts.emplace_back(part);
  if (!parts.empty()) parts.pop_back();
  return parts;
}

struct Case {
  std::string name, number, dockerfile_name = "Dockerfile", dockerfile;
  PlanRequest request;
};

Case read_case(const fs::path& folder, const fs::path& scratch) {
  Case c{.name = folder.filename().string()};
  c.number = c.name.substr(0, c.name.find('-'));
  c.request.platform = c.request.build_platform = *oci::Platform::parse("linux/amd64");
  std::vector<std::string> words;
  std::string standard_input;
  if (fs::exists(folder / "args")) {
    // A build argument without a value takes it from the environment: bash looks it up.
    words = bash(folder, R"(stdin=; source ./args
for word in "${args[@]}"; do if [[ $word =~ ^[A-Z]+$ && -n ${!word:-} ]]; then printf '%s\0' "$word=${!word}"; else printf '%s\0' "$word"; fi; done
printf '%s\0' "$stdin")");
    standard_input = words.back();
    words.pop_back();
  }
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    const std::string &flag = words[i], &value = words[i + 1];
    const auto pair = split_once(value, '=');
    if (flag == "-f") c.dockerfile_name = value == "-" ? standard_input : value;
    if (flag == "--target") c.request.target = value;
    if (flag == "--build-arg") c.request.build_args.emplace_back(std::string(pair->first), std::string(pair->second));
    if (flag == "--label") c.request.labels.emplace_back(std::string(pair->first), std::string(pair->second));
    if (flag == "--build-context") c.request.named_contexts.push_back({std::string(pair->first), std::string(pair->second)});
  }
  if (standard_input == "in") c.dockerfile_name = "in";
  fs::path source = folder / c.dockerfile_name;
  const std::string maker = fs::exists(folder / "make.sh") ? read(folder / "make.sh") : "";
  if (!fs::exists(source) || maker.find("ockerfile") != maker.npos) {
    fs::create_directory(scratch / c.name);
    if (fs::exists(source)) fs::copy_file(source, scratch / c.name / c.dockerfile_name);
    bash(scratch / c.name, "set -e; " + maker);
    source = scratch / c.name / c.dockerfile_name;
    if (!fs::exists(source)) source = scratch / c.name / "dockerfile";
  }
  c.dockerfile = read(source);
  return c;
}

json::Value sorted(const json::Value& value) {
  if (value.is_object()) {
    json::Object members = value.as_object();
    std::ranges::sort(members, {}, &json::Member::first);
    for (auto& [key, member] : members) member = sorted(member);
    return members;
  }
  if (!value.is_array()) return value;
  json::Array elements;
  for (const auto& element : value.as_array()) elements.push_back(sorted(element));
  return elements;
}

bool is_blank(const json::Value& value) {
  if (value.is_null()) return true;
  if (value.is_string()) return value.as_string().empty();
  if (value.is_array()) return value.as_array().empty();
  if (value.is_object()) return value.as_object().empty();
  return value.is_bool() && !value.as_bool();
}

/// The plan's result in the form that tests/corpus/config_of.sh gives.
std::string normalised(const Graph& graph) {
  const StagePlan& plan = graph.stages[static_cast<std::size_t>(graph.target)];
  const json::Value whole = plan.config.to_json();
  json::Value out = json::Value::object(), config = json::Value::object(), history = json::Value::array();
  for (const auto& [key, value] : whole.as_object())
    if (key != "config" && key != "history" && key != "rootfs" && key != "created") out.set(key, value);
  if (const json::Value* members = whole.find("config"))
    for (const auto& [key, value] : members->as_object())
      if (!is_blank(value) && !(key == "WorkingDir" && value.as_string() == "/")) config.set(key, value);
  std::int64_t layers = static_cast<std::int64_t>(plan.config.diff_ids.size());
  for (const PlannedHistory& entry : plan.history) {
    json::Value shown = json::Value::object();
    shown.set("created_by", entry.created_by);
    shown.set("comment", entry.comment);
    if (entry.empty_layer)
      shown.set("empty_layer", true);
    else
      ++layers;
    history.push(std::move(shown));
  }
  out.set("config", config);
  out.set("history", history);
  out.set("layers", layers);
  return json::write_pretty(sorted(out), 2);
}

/// Layers on the way from the target's last vertex down to the base: as many as its history says.
std::size_t vertices_of_result(const Graph& graph) {
  const StagePlan& plan = graph.stages[static_cast<std::size_t>(graph.target)];
  std::size_t count = 0;
  for (VertexId id = plan.last; id != plan.base && id != kNoVertex; id = graph.vertices[static_cast<std::size_t>(id)].parent)
    ++count;
  return count;
}

Result<Graph> plan(const Case& c) {
  testing::FakeBases bases;
  bases.add("busybox:corpus", R"({"Cmd":["sh"]})");
  bases.add("busybox", R"({"Cmd":["sh"]})");
  auto file = TRY(dockerfile::parse_file("Dockerfile", c.dockerfile));
  return plan_build(std::move(file), c.request, bases, {});
}

/// Docker's first line names the place; the second is its message.
void check_error(const Case& c, const fs::path& folder, const Result<Graph>& graph) {
  REQUIRE_MESSAGE(!graph, c.name, " should not plan");
  const std::string golden = read(folder / "error.txt"), text = graph.error().full_text();
  const auto lines = split(golden, '\n');
  if (lines[0] != "-") {
    REQUIRE_MESSAGE(graph.error().position(), c.name, ": ", text);
    CHECK_MESSAGE(format("Dockerfile:{}", graph.error().position()->line) == lines[0], c.name, ": ", text);
  }
  const auto other = kOtherWords.find(c.number);
  std::string wanted(other == kOtherWords.end() ? lines[1] : std::string_view(other->second));
  // The place stands before our message.
  if (const auto prefix = wanted.find("dockerfile parse error on line "); prefix == 0)
    wanted = wanted.substr(wanted.find(": ") + 2);
  CHECK_MESSAGE(text.find(wanted) != text.npos, c.name, " wants: ", wanted, "\n has: ", text);
}

}  // namespace

TEST_CASE("every case of the corpus plans to docker's config and history, or fails as docker does") {
  const fs::path corpus = fs::path(MICA_SOURCE_DIR) / "tests" / "corpus";
  std::string pattern = (fs::temp_directory_path() / "mica-plan-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  const fs::path scratch = pattern;
  int compared = 0, failures = 0;
  for (const auto& entry : fs::directory_iterator(corpus)) {
    if (!entry.is_directory()) continue;
    const std::string number = entry.path().filename().string().substr(0, 3);
    if (kNoDockerfile.contains(number)) continue;
    const Case c = read_case(entry.path(), scratch);
    const auto graph = plan(c);
    if (fs::exists(entry.path() / "error.txt") && !kFailsLater.contains(number)) {
      check_error(c, entry.path(), graph);
      ++failures;
      continue;
    }
    if (!graph) {
      FAIL_CHECK(c.name, ": ", graph.error().full_text());
      continue;
    }
    if (kFailsLater.contains(number)) continue;
    const auto golden = json::parse(read(entry.path() / "config.json"));
    REQUIRE(golden);
    const std::string wanted = json::write_pretty(sorted(*golden), 2), have = normalised(*graph);
    CHECK_MESSAGE(have == wanted, c.name, "\nwanted ", wanted, "\nhave ", have);
    std::size_t layers = 0;
    for (const auto& h : graph->stages[static_cast<std::size_t>(graph->target)].history) layers += h.empty_layer ? 0 : 1;
    CHECK_MESSAGE(vertices_of_result(*graph) == layers, c.name);
    ++compared;
  }
  fs::remove_all(scratch);
  CHECK(compared + failures > 290);
}
