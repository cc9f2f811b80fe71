#include "engine/lock_questions.h"

#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "build/planner.h"
#include "dockerfile/parser.h"
#include "engine/compose_bases.h"
#include "sys/fd.h"

namespace mica::engine {
namespace {

Result<dockerfile::File> read_dockerfile(const std::string& path) {
  const auto text = TRY_DOING(sys::read_file(path, dockerfile::kMaxFileBytes), format("failed to read dockerfile"));
  return dockerfile::parse_file(path, text);
}

Result<> ask_for_services(const LockQuestions& questions, AskedBases& bases, task::Pool& pool, std::vector<std::string>& remarks, task::Cancel cancel) {
  auto compose = TRY(read_compose_bases(questions.file));
  for (auto& remark : compose.remarks) remarks.push_back(std::move(remark));
  for (const auto& image : compose.images) {
    auto found = bases.resolve(image.image, oci::Platform::host(), cancel);
    if (!found) return fail(std::move(found).error().doing(format("services.{}.image", image.service)).at(image.where));
  }
  for (auto& build : compose.builds) {
    auto file = build.text.empty() ? read_dockerfile(build.dockerfile) : dockerfile::parse_file(build.dockerfile, build.text);
    const DockerfileQuestions of_build{.build_args = [&] {
                                         auto all = build.build_args;
                                         all.insert(all.end(), questions.build_args.begin(), questions.build_args.end());
                                         return all;
                                       }(),
                                       .platforms = questions.platforms.empty() ? build.platforms : questions.platforms,
                                       .contexts = build.contexts};
    auto asked = file ? ask_for_bases(*file, of_build, bases, pool, cancel) : Result<>(fail(std::move(file).error()));
    if (!asked) return fail(std::move(asked).error().doing(format("services.{}.build", build.service)).at(build.where));
  }
  return {};
}

}  // namespace

Result<> ask_for_bases(const dockerfile::File& file, const DockerfileQuestions& questions, AskedBases& bases, task::Pool& pool, task::Cancel cancel) {
  build::PlanRequest plan{.all_stages = true, .pool = &pool};
  for (const auto& text : questions.build_args) {
    if (const auto pair = split_once(text, '=')) plan.build_args.emplace_back(std::string(pair->first), std::string(pair->second));
    else if (const char* value = std::getenv(text.c_str())) plan.build_args.emplace_back(text, value);
  }
  for (const auto& [name, value] : questions.contexts) plan.named_contexts.push_back({name, value});
  plan.entitlements = {"network.host", "security.insecure"};   // nothing runs here
  std::vector<oci::Platform> platforms;
  for (const auto& text : questions.platforms) {
    for (const auto one : split(text, ',')) {
      auto platform = TRY(oci::Platform::parse(one));
      platforms.push_back(std::move(platform));
    }
  }
  if (platforms.empty()) platforms.push_back(oci::Platform::host());
  for (const auto& platform : platforms) {
    plan.platform = platform;
    TRY(build::plan_build(file, plan, bases, cancel));
  }
  return {};
}

Result<> ask_for_bases(const LockQuestions& questions, AskedBases& bases, task::Pool& pool, std::vector<std::string>& remarks, task::Cancel cancel) {
  if (is_compose_file(questions.file)) return ask_for_services(questions, bases, pool, remarks, std::move(cancel));
  const auto file = TRY(read_dockerfile(questions.file));
  return ask_for_bases(file, {.build_args = questions.build_args, .platforms = questions.platforms, .contexts = {}}, bases, pool, std::move(cancel));
}

}  // namespace mica::engine
