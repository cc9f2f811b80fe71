#include "engine/analyze_rebuild.h"

#include <algorithm>
#include <optional>

#include "analyze/image.h"
#include "base/format.h"
#include "base/text.h"
#include "build/explain.h"
#include "build/key.h"
#include "build/records.h"
#include "engine/build_reports.h"

namespace mica::engine {
namespace {

using Outcome = PredictedStep::Outcome;

constexpr std::string_view kFile = "file ", kFrom = "from=";

struct Step {
  const build::ReportedStep* told = nullptr;
  std::optional<build::Record> record;
  build::Parts parts;
  std::string parent;                  ///< tree below; empty: the empty one
  std::string stage;                   ///< "site" of "[site 2/4] COPY ..."; empty: the only one
  std::vector<std::string> from;       ///< stages and contexts that it takes files from
  PredictedStep predicted;
};

std::string stage_of(std::string_view title) {
  if (!title.starts_with('[')) return {};
  const std::string_view inside = title.substr(1, title.find(']') - 1);
  const auto words = split_blanks(inside);
  return words.size() > 1 ? std::string(words[0]) : std::string();
}

/// What stands behind "from=" in flags: "--from=site", "--mount=type=bind,from=site,target=/m".
std::vector<std::string> sources_of(std::string_view text) {
  std::vector<std::string> out;
  for (const std::string_view word : split_blanks(text)) {
    if (!word.starts_with("--")) {
      if (out.empty() && word != "COPY" && word != "ADD" && word != "RUN") break;
      continue;
    }
    const auto at = word.find(kFrom);
    if (at == word.npos) continue;
    const std::string_view rest = word.substr(at + kFrom.size());
    out.emplace_back(rest.substr(0, rest.find(',')));
  }
  return out;
}

class Predictor {
 public:
  Predictor(Engine& engine, Rebuild& rebuild) : engine_(engine), records_(engine.database()), rebuild_(rebuild) {}

  Result<> run(const build::BuildReport& report) {
    for (const auto& told : report.steps) {
      if (told.record.empty()) continue;
      Step step = TRY(read(told));
      decide(step);
      (step.predicted.outcome == Outcome::run ? rebuild_.run_ns : step.predicted.outcome == Outcome::maybe ? rebuild_.maybe_ns : ignored_) += step.predicted.duration_ns;
      steps_.push_back(std::move(step));
    }
    for (auto& step : steps_) rebuild_.steps.push_back(std::move(step.predicted));
    return {};
  }

 private:
  Result<Step> read(const build::ReportedStep& told) {
    Step step{.told = &told, .stage = stage_of(told.title), .from = sources_of(told.text)};
    step.predicted = {.title = told.title, .instruction = told.text, .line = told.line, .duration_ns = told.duration_ns};
    step.record = TRY(records_.find(told.record));
    if (!step.record || !engine_.blobs().has(step.record->parts)) return step;
    step.predicted.duration_ns = step.record->duration_ns;
    step.parts = TRY(build::parts_of(engine_.blobs(), *step.record));
    for (const auto& part : step.parts)
      if (part.name == "parent") step.parent = part.value;
    return step;
  }

  void decide(Step& step) {
    auto& predicted = step.predicted;
    if (step.parts.empty()) {
      rebuild_.known = false;
      predicted.outcome = Outcome::maybe;
      predicted.reason = "its record is gone";
      return;
    }
    take(predicted, by_files(step));
    take(predicted, by_parent(step));
    take(predicted, by_sources(step));
  }

  struct Reason {
    Outcome outcome = Outcome::hit;
    std::string text;
  };
  /// What is sure goes before what may be.
  static void take(PredictedStep& predicted, Reason reason) {
    if (reason.outcome == Outcome::hit || predicted.outcome == Outcome::run || (predicted.outcome == Outcome::maybe && reason.outcome == Outcome::maybe)) return;
    predicted.outcome = reason.outcome;
    predicted.reason = std::move(reason.text);
  }

  Reason by_files(const Step& step) const {
    const bool is_copy = !step.told->text.starts_with("RUN");
    if (is_copy && !step.from.empty()) return {};
    bool covers_all = false;
    Reason found;
    for (const auto& part : step.parts) {
      if (part.name == "source" && clean_path(part.value) == ".") covers_all = true;
      if (!part.name.starts_with(kFile)) continue;
      const std::string_view file = std::string_view(part.name).substr(kFile.size());
      for (const auto& changed : rebuild_.changed) {
        const std::string_view folder = trim_right(file, "/");
        // Of a mount from a stage the same names may be other files.
        if (analyze::is_within(folder, changed) && step.from.empty()) return {Outcome::run, changed + " changed"};
        if (analyze::is_within(folder, changed) || (file.ends_with('/') && analyze::is_within(changed, folder) && !is_listed(step, changed)))
          found = {Outcome::maybe, changed + " is among its files, if it is not left out"};
      }
    }
    if (covers_all && found.outcome == Outcome::hit && !rebuild_.changed.empty()) return {Outcome::maybe, "it copies the whole context, unless " + rebuild_.changed[0] + " is left out"};
    return found;
  }
  static bool is_listed(const Step& step, std::string_view path) {
    return std::ranges::any_of(step.parts, [&](const auto& part) { return part.name.starts_with(kFile) && std::string_view(part.name).substr(kFile.size()) == path; });
  }

  Reason by_parent(const Step& step) const {
    if (step.parent.empty()) return {};
    for (auto below = steps_.rbegin(); below != steps_.rend(); ++below) {
      if (!below->record || below->record->tree != step.parent || below->stage != step.stage) continue;
      if (below->predicted.outcome == Outcome::hit) return {};
      return {below->predicted.outcome, "runs on " + below->told->text};
    }
    // A stage that began from another one.
    for (auto below = steps_.rbegin(); below != steps_.rend(); ++below)
      if (below->record && below->record->tree == step.parent && below->predicted.outcome != Outcome::hit) return {below->predicted.outcome, "runs on " + below->told->text};
    return {};
  }

  Reason by_sources(const Step& step) const {
    for (const auto& source : step.from) {
      const bool is_number = parse_int(source).has_value();   // of a stage that may have a name, too
      for (const auto& other : steps_) {
        const bool is_there = is_number ? other.stage != step.stage : equals_ignoring_case(other.stage, source);
        if (is_there && other.predicted.outcome != Outcome::hit) return {Outcome::maybe, "takes files from stage " + source};
      }
    }
    return {};
  }

  Engine& engine_;
  build::Records records_;
  Rebuild& rebuild_;
  std::vector<Step> steps_;
  std::int64_t ignored_ = 0;
};

}  // namespace

Result<Rebuild> predict_rebuild(Engine& engine, const std::string& image, const std::vector<std::string>& changed) {
  const auto report = TRY(find_report(engine, image));
  Rebuild out{.build = report.id};
  for (const auto& path : changed) {
    std::string clean = clean_path(path);
    if (clean.starts_with("/") || clean == ".." || clean.starts_with("../"))
      return fail(Error(Errc::invalid_argument, format("--changed {}: the path must lie in the context", quoted(path))).with_hint("it is relative to the context's folder: src/app.js"));
    if (clean == ".") clean.clear();
    out.changed.push_back(std::move(clean));
  }
  TRY(Predictor(engine, out).run(report));
  return out;
}

std::string_view name(Outcome outcome) {
  if (outcome == Outcome::hit) return "hit";
  return outcome == Outcome::run ? "run" : "maybe";
}

json::Value to_json(const Rebuild& rebuild) {
  json::Value out = json::Value::object();
  out.set("build", rebuild.build);
  out.set("changed", json::from(rebuild.changed));
  out.set("run_ns", rebuild.run_ns);
  out.set("maybe_ns", rebuild.maybe_ns);
  json::Value steps = json::Value::array();
  for (const auto& step : rebuild.steps) {
    json::Value value = json::Value::object();
    value.set("outcome", name(step.outcome));
    value.set("title", step.title);
    value.set("instruction", step.instruction);
    value.set("line", step.line);
    value.set("duration_ns", step.duration_ns);
    value.set("reason", step.reason);
    steps.push(std::move(value));
  }
  out.set("steps", std::move(steps));
  return out;
}

}  // namespace mica::engine
