/// Warnings about a Dockerfile, as buildx words and numbers them.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "engine/build_events.h"
#include "json/json.h"

namespace mica::cli {

/// "https://docs.docker.com/go/dockerfile/rule/stage-name-casing/": where the rules that mica takes over from BuildKit are explained.
std::string rule_url(std::string_view rule);
/// What a rule is about, in a sentence; empty for unknown ones.
std::string_view rule_description(std::string_view rule);

/// The lines after a build: how many, then one each; empty for none.
std::string warning_summary(const std::vector<build::Warned>& warnings, bool colour);

/// One warning as buildx's metadata file and rawjson have it: texts as base64. `source`: the Dockerfile, empty when not at hand.
json::Value warning_record(const dockerfile::Diagnostic& warning, const std::string& file, std::string_view source);

/// `--check`: everything about each warning. `path`: of the Dockerfile, for people.
std::string check_page(const std::vector<build::Warned>& warnings, const std::string& path);
/// `--call=check,format=json`.
json::Value check_record(const std::vector<build::Warned>& warnings, const std::string& file, std::string_view source);

/// {"ranges": [{"start": {"line": 2}, "end": {"line": 2}}]}
json::Value location_record(const dockerfile::Range& where);

/// Passes events on and keeps the warnings, each once (several platforms warn of the same).
class WarningKeeper : public build::EventSink {
 public:
  explicit WarningKeeper(build::EventSink& next) : next_(next) {}
  void on(const build::Event& event) override;
  const std::vector<build::Warned>& warnings() const { return warnings_; }

 private:
  build::EventSink& next_;
  std::vector<build::Warned> warnings_;
};

}  // namespace mica::cli
