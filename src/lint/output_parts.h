/// What the writers of formats share. Internal to the module.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "json/json.h"
#include "lint/inspection.h"
#include "lint/output.h"
#include "lint/rule.h"

namespace mica::lint {

/// A finding or a syntax error, as a line of output has it.
struct Item {
  const Report* report = nullptr;
  const Finding* finding = nullptr;        ///< null: a syntax error
  std::string_view code;
  Severity severity = Severity::error;
  std::string message;
  LineIndex::Position begin, end;          ///< `end` is just behind the last byte
};
/// In order of place. With `suppressed`: those too.
void each_item(const Report& report, bool suppressed, const std::function<void(const Item&)>& visit);

/// The same position with the column counted in code points, as sarif has it.
LineIndex::Position in_code_points(const Report& report, const LineIndex& lines, LineIndex::Position position);
/// A name for the finding that outlives changes elsewhere in the file: 64 hex digits from file, rule, text of its line, and the number of the same before it.
class Fingerprints {
 public:
  std::string next(const Item& item);

 private:
  std::map<std::string, int, std::less<>> seen_;
};

json::Value write_json(std::span<const Report> reports);
json::Value write_sarif(std::span<const Report> reports, const Look& look);
json::Value write_sonarqube(std::span<const Report> reports);
json::Value write_gitlab(std::span<const Report> reports);
std::string write_codeclimate(std::span<const Report> reports);
std::string write_codacy(std::span<const Report> reports);
std::string write_checkstyle(std::span<const Report> reports);
std::string write_junit(std::span<const Report> reports);
std::string write_tty(std::span<const Report> reports, const Look& look);

}  // namespace mica::lint
