/// Progress for programs: one JSON object a line, in the form of buildx's rawjson (docs/commands/build.md, "rawjson").
#pragma once
#include <map>
#include <string>

#include "engine/build_events.h"
#include "json/json.h"

namespace mica::cli {

class JsonText {
 public:
  /// The line of one event; empty for events that are about the terminal.
  std::string on(const build::Event& event, Timestamp now);

 private:
  struct Step {
    std::string title;
    Timestamp started;
    std::map<std::string, Timestamp> moving;
  };
  json::Value vertex(build::StepNumber number) const;
  std::map<build::StepNumber, Step> steps_;
};

}  // namespace mica::cli
