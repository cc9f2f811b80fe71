#include "cli/progress_json.h"

#include "base/format.h"
#include "base/sha256.h"
#include "base/text.h"
#include "cli/build_warnings.h"

namespace mica::cli {
namespace {

/// The key by which the records of one step belong together; buildx has the digest of its operation there.
std::string id_of(build::StepNumber number, const std::string& title) {
  Sha256 hash;
  hash.field(static_cast<std::uint64_t>(number)).field(title);
  return "sha256:" + hash.finish_hex();
}

std::string line(std::string_view kind, json::Value value) {
  json::Value list = json::Value::array();
  list.push(std::move(value));
  json::Value all = json::Value::object();
  all.set(kind, std::move(list));
  return json::write(all) + "\n";
}

}  // namespace

json::Value JsonText::vertex(build::StepNumber number) const {
  const Step& step = steps_.at(number);
  json::Value value = json::Value::object();
  value.set("digest", id_of(number, step.title));
  value.set("name", step.title);
  value.set("number", std::int64_t{number});
  if (step.started.ns != 0) value.set("started", rfc3339(step.started));
  return value;
}

std::string JsonText::on(const build::Event& event, Timestamp now) {
  auto step_id = [&](build::StepNumber number) { return id_of(number, steps_[number].title); };
  if (const auto* announced = std::get_if<build::StepAnnounced>(&event)) {
    steps_[announced->step].title = announced->title;
    return line("vertexes", vertex(announced->step));
  }
  if (const auto* started = std::get_if<build::StepStarted>(&event)) {
    steps_[started->step].started = started->when;
    return line("vertexes", vertex(started->step));
  }
  if (const auto* finished = std::get_if<build::StepFinished>(&event)) {
    Step& step = steps_[finished->step];
    if (step.started.ns == 0) {
      if (finished->outcome == build::Outcome::cancelled) return {};
      step.started = {now.ns - finished->duration_ns};
    }
    json::Value value = vertex(finished->step);
    value.set("completed", rfc3339(now));
    if (finished->outcome == build::Outcome::cached) value.set("cached", true);
    if (finished->outcome == build::Outcome::failed) value.set("error", finished->error);
    if (finished->outcome == build::Outcome::cancelled) value.set("error", "context canceled");
    return line("vertexes", std::move(value));
  }
  if (const auto* output = std::get_if<build::StepOutput>(&event)) {
    json::Value value = json::Value::object();
    value.set("vertex", step_id(output->step));
    value.set("stream", std::int64_t{output->stream});
    value.set("data", base64(output->bytes));
    value.set("timestamp", rfc3339(now));
    if (output->replayed) value.set("replayed", true);
    return line("logs", std::move(value));
  }
  if (const auto* progress = std::get_if<build::StepProgress>(&event)) {
    const Timestamp started = steps_[progress->step].moving.emplace(progress->what, now).first->second;
    json::Value value = json::Value::object();
    value.set("id", progress->what);
    value.set("vertex", step_id(progress->step));
    if (progress->total != 0) value.set("total", progress->total);
    value.set("current", progress->done);
    value.set("timestamp", rfc3339(now));
    value.set("started", rfc3339(started));
    if (progress->finished) value.set("completed", rfc3339(now));
    return line("statuses", std::move(value));
  }
  if (const auto* explained = std::get_if<build::StepExplained>(&event)) {
    json::Value value = json::Value::object();
    value.set("vertex", step_id(explained->step));
    value.set("hit", explained->hit);
    value.set("reasons", json::from(explained->reasons));
    return line("explanations", std::move(value));
  }
  if (const auto* warned = std::get_if<build::Warned>(&event)) {
    json::Value value = warning_record(warned->diagnostic, warned->file, "");
    if (!steps_.empty()) value.set("vertex", step_id(steps_.begin()->first));
    return line("warnings", std::move(value));
  }
  return {};
}

}  // namespace mica::cli
