#include <algorithm>
#include <map>

#include "base/format.h"
#include "base/text.h"
#include "lint/output_parts.h"

namespace mica::lint {
namespace {

json::Value object(json::Object members) { return json::Value(std::move(members)); }

json::Value fix_record(const Fix& fix, const LineIndex& lines) {
  constexpr std::string_view kKinds[] = {"none", "safe", "unsafe", "data"};
  json::Value edits = json::Value::array();
  for (const Edit& edit : fix.edits) {
    const auto begin = lines.position(edit.where.begin), end = lines.position(edit.where.end);
    edits.push(object({{"line", begin.line}, {"column", begin.column}, {"endLine", end.line}, {"endColumn", end.column}, {"text", edit.text}}));
  }
  return object({{"kind", kKinds[static_cast<std::size_t>(fix.kind)]}, {"title", fix.title}, {"edits", std::move(edits)}});
}

std::string_view sarif_level(Severity severity) { return severity == Severity::error ? "error" : severity == Severity::warning ? "warning" : "note"; }

json::Value region(const Report& report, const LineIndex& lines, LineIndex::Position begin, LineIndex::Position end) {
  begin = in_code_points(report, lines, begin);
  end = in_code_points(report, lines, end);
  return object({{"startLine", begin.line}, {"startColumn", begin.column}, {"endLine", end.line}, {"endColumn", end.column}});
}

json::Value text_record(std::string_view text) { return object({{"text", text}}); }

json::Value sarif_rule(const Rule& rule) {
  json::Value record = object({{"id", rule.id}, {"shortDescription", text_record(rule.summary)}, {"fullDescription", text_record(rule.why)}});
  record.set("help", object({{"text", format("{}\n\n{}", rule.why, rule.practice)},
                             {"markdown", format("{}\n\n{}\n\nBad:\n\n```dockerfile\n{}\n```\n\nGood:\n\n```dockerfile\n{}\n```", rule.why, rule.practice, trim_right(rule.bad), trim_right(rule.good))}}));
  record.set("defaultConfiguration", rule.severity == Severity::off ? object({{"enabled", false}, {"level", "warning"}}) : object({{"level", sarif_level(rule.severity)}}));
  json::Value aliases = json::Value::array();
  for (const auto alias : split_blanks(rule.aliases)) aliases.push(alias);
  if (!aliases.as_array().empty()) record.set("deprecatedIds", std::move(aliases));
  return record;
}

json::Value sarif_fix(const Report& report, const LineIndex& lines, const Fix& fix) {
  json::Value replacements = json::Value::array();
  for (const Edit& edit : fix.edits)
    replacements.push(object({{"deletedRegion", region(report, lines, lines.position(edit.where.begin), lines.position(edit.where.end))}, {"insertedContent", text_record(edit.text)}}));
  json::Value changes = json::Value::array();
  changes.push(object({{"artifactLocation", object({{"uri", report.file}})}, {"replacements", std::move(replacements)}}));
  return object({{"description", text_record(fix.title)}, {"artifactChanges", std::move(changes)}});
}

json::Value one(json::Value value) {
  json::Value list = json::Value::array();
  list.push(std::move(value));
  return list;
}

std::string_view climate_severity(Severity severity) {
  switch (severity) {
    case Severity::error: return "blocker";
    case Severity::warning: return "major";
    case Severity::info: return "info";
    default: return "minor";
  }
}

json::Value climate_record(const Item& item) {
  const json::Value lines = object({{"begin", item.begin.line}, {"end", item.end.line}});
  return object({{"type", "issue"}, {"check_name", item.code}, {"description", item.message}, {"categories", one("Bug Risk")}, {"location", object({{"path", item.report->file}, {"lines", lines}})},
                 {"severity", climate_severity(item.severity)}});
}

}  // namespace

json::Value write_json(std::span<const Report> reports) {
  json::Value list = json::Value::array();
  for (const Report& report : reports) {
    const LineIndex lines(report.source);
    each_item(report, false, [&](const Item& item) {
      json::Value record = object({{"file", report.file}, {"line", item.begin.line}, {"column", item.begin.column}, {"endLine", item.end.line}, {"endColumn", item.end.column},
                                   {"level", severity_name(item.severity)}, {"code", item.code}, {"message", item.message}});
      if (item.finding) {
        json::Value aliases = json::Value::array();
        for (const auto alias : split_blanks(item.finding->rule->aliases)) aliases.push(alias);
        if (!aliases.as_array().empty()) record.set("aliases", std::move(aliases));
        if (item.finding->fix) record.set("fix", fix_record(*item.finding->fix, lines));
        if (item.finding->bytes) record.set("bytes", *item.finding->bytes);
        if (item.finding->seconds) record.set("seconds", *item.finding->seconds);
      }
      list.push(std::move(record));
    });
  }
  return list;
}

json::Value write_sarif(std::span<const Report> reports, const Look& look) {
  std::map<std::string_view, const Rule*> used;   // null: syntax errors
  for (const Report& report : reports) each_item(report, true, [&](const Item& item) { used.emplace(item.code, item.finding ? item.finding->rule : nullptr); });
  json::Value rules = json::Value::array();
  std::map<std::string_view, std::int64_t> index;
  for (const auto& [code, rule] : used) {
    index[code] = static_cast<std::int64_t>(index.size());
    rules.push(rule ? sarif_rule(*rule) : object({{"id", code}, {"shortDescription", text_record("The file is no valid Dockerfile")}}));
  }
  json::Value results = json::Value::array();
  Fingerprints fingerprints;
  for (const Report& report : reports) {
    const LineIndex lines(report.source);
    each_item(report, true, [&](const Item& item) {
      json::Value where = region(report, lines, item.begin, item.end);
      where.set("sourceLanguage", "dockerfile");
      json::Value physical = object({{"artifactLocation", object({{"uri", report.file}})}, {"region", std::move(where)}});
      json::Value result = object({{"ruleId", item.code}, {"ruleIndex", index[item.code]}, {"level", sarif_level(item.severity)}, {"message", text_record(item.message)},
                                   {"locations", one(object({{"physicalLocation", std::move(physical)}}))},
                                   {"partialFingerprints", object({{"ruleAndLine/v1", fingerprints.next(item)}})}});
      if (const Finding* finding = item.finding) {
        if (finding->fix && !finding->fix->edits.empty()) result.set("fixes", one(sarif_fix(report, lines, *finding->fix)));
        if (!finding->suppressed_by.empty()) result.set("suppressions", one(object({{"kind", "inSource"}, {"justification", finding->suppressed_by}})));
        json::Value properties = json::Value::object();
        if (finding->bytes) properties.set("bytes", *finding->bytes);
        if (finding->seconds) properties.set("seconds", *finding->seconds);
        if (!properties.as_object().empty()) result.set("properties", std::move(properties));
      }
      results.push(std::move(result));
    });
  }
  json::Value driver = object({{"name", "mica"}, {"version", look.version}, {"rules", std::move(rules)}});
  json::Value run = object({{"tool", object({{"driver", std::move(driver)}})}, {"columnKind", "unicodeCodePoints"}, {"results", std::move(results)}});
  return object({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"}, {"version", "2.1.0"}, {"runs", one(std::move(run))}});
}

json::Value write_sonarqube(std::span<const Report> reports) {
  json::Value issues = json::Value::array();
  for (const Report& report : reports)
    each_item(report, false, [&](const Item& item) {
      // Its ranges are of at least one column, and count columns from 0.
      LineIndex::Position end = item.end;
      if (end.line == item.begin.line && end.column <= item.begin.column) end.column = item.begin.column + 1;
      const json::Value range = object({{"startLine", item.begin.line}, {"endLine", end.line}, {"startColumn", item.begin.column - 1}, {"endColumn", end.column - 1}});
      const std::string_view severity = item.severity == Severity::error ? "CRITICAL" : item.severity == Severity::warning ? "MAJOR" : item.severity == Severity::info ? "MINOR" : "INFO";
      issues.push(object({{"engineId", "mica"}, {"ruleId", item.code}, {"severity", severity}, {"type", item.severity == Severity::error ? "BUG" : "CODE_SMELL"},
                          {"primaryLocation", object({{"message", item.message}, {"filePath", report.file}, {"textRange", range}})}}));
    });
  return object({{"issues", std::move(issues)}});
}

json::Value write_gitlab(std::span<const Report> reports) {
  json::Value list = json::Value::array();
  Fingerprints fingerprints;
  for (const Report& report : reports)
    each_item(report, false, [&](const Item& item) {
      json::Value record = climate_record(item);
      constexpr std::size_t kDigits = 40;   // as long as the SHA-1 that others put there
      record.set("fingerprint", fingerprints.next(item).substr(0, kDigits));
      list.push(std::move(record));
    });
  return list;
}

std::string write_codeclimate(std::span<const Report> reports) {
  std::string text;
  for (const Report& report : reports)
    each_item(report, false, [&](const Item& item) {
      text += json::write(climate_record(item));
      text += '\0';
    });
  return text;
}

std::string write_codacy(std::span<const Report> reports) {
  std::string text;
  for (const Report& report : reports)
    each_item(report, false, [&](const Item& item) {
      text += json::write(object({{"filename", report.file}, {"patternId", item.code}, {"message", item.message}, {"line", item.begin.line}})) + "\n";
    });
  return text;
}

}  // namespace mica::lint
