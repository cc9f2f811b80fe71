#include "engine/inline_pins.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/parser.h"
#include "engine/asked_bases.h"
#include "engine/compose_bases.h"
#include "sys/fd.h"

namespace mica::engine {
namespace {

constexpr int kQuestionsAtOnce = 4;

/// The words of one file.
class Words {
 public:
  explicit Words(const dockerfile::File& file) : file_(file) {
    line_starts_.push_back(0);
    for (std::size_t i = 0; i < file.source.size(); ++i)
      if (file.source[i] == '\n') line_starts_.push_back(i + 1);
  }

  /// `word` stands at `offset` of the logical line of `owner` (a stage or an instruction); npos: somewhere in it.
  template <class Owner>
  void add(const Owner& owner, const std::string& word, std::size_t offset) {
    ImageWord found{.text = word, .line = owner.where.line};
    if (offset != std::string::npos && word.find_first_of("$\"'\\") == word.npos) {
      const dockerfile::Range place = dockerfile::position(owner, offset);
      found.line = place.line;
      if (place.line > 0 && static_cast<std::size_t>(place.line) <= line_starts_.size())
        found.offset = line_starts_[static_cast<std::size_t>(place.line) - 1] + static_cast<std::size_t>(place.column) - 1;
      found.is_fixed = file_.source.compare(found.offset, word.size(), word) == 0;
    }
    words.push_back(std::move(found));
  }

  std::vector<ImageWord> words;

 private:
  const dockerfile::File& file_;
  std::vector<std::size_t> line_starts_;
};

/// Where `word` stands in `text` right behind `before`, with a blank, a comma or the end after it.
std::size_t find_behind(std::string_view text, std::string_view before, std::string_view word) {
  const std::string wanted = std::string(before) + std::string(word);
  for (std::size_t at = text.find(wanted); at != text.npos; at = text.find(wanted, at + 1)) {
    const std::size_t end = at + wanted.size();
    if (end == text.size() || std::string_view(" \t,\n").find(text[end]) != std::string_view::npos) return at + before.size();
  }
  return text.npos;
}

std::size_t from_word(const dockerfile::Stage& stage) {
  for (const char blank : {' ', '\t'})
    if (const auto at = find_behind(stage.text, std::string(1, blank), stage.base); at != std::string::npos) return at;
  return std::string::npos;
}

/// The value of `from` in --mount's CSV; empty: none.
std::string from_of_mount(const std::string& csv) {
  for (const auto part : split(csv, ','))
    if (part.starts_with("from=")) return std::string(part.substr(5));
  return {};
}

bool is_number(std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789") == text.npos; }

/// What one name becomes.
struct Wanted {
  std::string name;            ///< with tag, without digest
  std::string key;
  std::string after;
};

}  // namespace

std::vector<ImageWord> image_words(const dockerfile::File& file) {
  Words words(file);
  std::set<std::string> stages;
  for (const auto& stage : file.stages) {
    if (!stages.contains(to_lower(stage.base)) && stage.base != "scratch") words.add(stage, stage.base, from_word(stage));
    if (!stage.name.empty()) stages.insert(stage.name);
    const auto is_image = [&](const std::string& from) { return !from.empty() && !is_number(from) && !stages.contains(to_lower(from)); };
    for (const auto& instruction : stage.instructions) {
      if (const auto* copy = std::get_if<dockerfile::Copy>(&instruction.command); copy && is_image(copy->from))
        words.add(instruction, copy->from, find_behind(instruction.text, "--from=", copy->from));
      if (const auto* run = std::get_if<dockerfile::Run>(&instruction.command))
        for (const auto& mount : run->mounts) {
          const std::string from = from_of_mount(mount);
          if (!is_image(from)) continue;
          const std::size_t csv = instruction.text.find(mount), in_csv = find_behind(mount, "from=", from);
          words.add(instruction, from, csv == std::string::npos || in_csv == std::string::npos ? std::string::npos : csv + in_csv);
        }
    }
  }
  return std::move(words.words);
}

Result<Inlined> pin_inline(CopySession& session, const LockRequest& request, task::Cancel cancel) {
  if (is_compose_file(request.dockerfile))
    return fail(Error(Errc::unsupported, format("{} is a compose file: --inline rewrites Dockerfiles", request.dockerfile)).with_hint("without --inline its images are pinned in mica.lock"));
  char resolved[PATH_MAX];
  const std::string path = ::realpath(request.dockerfile.c_str(), resolved) ? resolved : request.dockerfile;
  const auto text = TRY_DOING(sys::read_file(path, dockerfile::kMaxFileBytes), "failed to read dockerfile");
  const auto file = TRY(dockerfile::parse_file(request.dockerfile, text));
  const auto lock = TRY(LockFile::read(lock_path_for(request.dockerfile)));

  Inlined out;
  const std::vector<ImageWord> words = image_words(file);
  std::map<std::string, Wanted> by_text;
  std::vector<std::string> keys;
  for (const auto& word : words) {
    if (!word.is_fixed) {
      out.remarks.push_back(format("{}:{}: {} stays: it is no plain name", request.dockerfile, word.line, word.text));
      continue;
    }
    auto reference = oci::Reference::parse(word.text);
    if (!reference) return fail(std::move(reference).error().at({.file = request.dockerfile, .line = word.line}));
    if (!reference->digest.empty() && (!request.update || reference->tag.empty())) continue;
    Wanted wanted{.name = std::string(word.text.substr(0, word.text.find('@')))};
    reference->digest = {};
    wanted.key = LockFile::key(*reference);
    if (!std::string_view(wanted.name).substr(wanted.name.rfind('/') + 1).contains(':')) wanted.name += ":latest";
    keys.push_back(wanted.key);
    by_text.insert_or_assign(word.text, std::move(wanted));
  }
  const auto moving = TRY(keys_of_names(request.names, keys, request.dockerfile));
  if (!moving.empty()) std::erase_if(by_text, [&](const auto& entry) { return !moving.contains(entry.second.key); });

  std::vector<Wanted*> all;
  for (auto& [written, wanted] : by_text) all.push_back(&wanted);
  const auto platform = TRY(request.platforms.empty() ? oci::Platform::host() : oci::Platform::parse(request.platforms[0]));
  TRY(run_each(session.pool, cancel, all.size(), kQuestionsAtOnce, [&](std::size_t i, task::Cancel stop) -> Result<> {
    if (!request.update && lock && lock->images.contains(all[i]->key)) {
      all[i]->after = all[i]->name + "@" + lock->images.at(all[i]->key).digest.str();
      return {};
    }
    const auto found = TRY(resolve_at_registry(session, all[i]->name, platform, stop));
    all[i]->after = all[i]->name + "@" + found.digest.str();
    return {};
  }));

  std::string rewritten = text;
  for (auto word = words.rbegin(); word != words.rend(); ++word) {
    const auto wanted = by_text.find(word->text);
    if (!word->is_fixed || wanted == by_text.end() || wanted->second.after == word->text) continue;
    rewritten.replace(word->offset, word->text.size(), wanted->second.after);
    out.pins.push_back({.line = word->line, .before = word->text, .after = wanted->second.after});
  }
  std::ranges::reverse(out.pins);
  if (out.pins.empty()) return out;
  struct stat info{};
  const int mode = ::stat(path.c_str(), &info) == 0 ? static_cast<int>(info.st_mode & 07777) : 0644;
  TRY_DOING(sys::write_file_atomically(path, rewritten, mode), format("writing {}", request.dockerfile));
  if (!lock || !lock->files.contains(base_name(request.dockerfile))) return out;
  LockRequest again = request;
  again.update = false;
  again.names.clear();
  auto locked = TRY(lock_images(session, again, std::move(cancel)));
  out.lock_changes = std::move(locked.changes);
  return out;
}

}  // namespace mica::engine
