// ADD and COPY.
#include <map>

#include "base/format.h"
#include "dockerfile/heredoc.h"
#include "dockerfile/parser.h"
#include "dockerfile/statement.h"

namespace mica::dockerfile {

std::optional<Command> parse_add_or_copy(const Statement& s, Diagnostics& diagnostics) {
  static constexpr FlagSpec kCopyFlags[] = {
      {"chmod"}, {"chown"}, {"exclude", FlagKind::list}, {"from"}, {"link", FlagKind::boolean}, {"parents", FlagKind::boolean}};
  static constexpr FlagSpec kAddFlags[] = {{"checksum"},
                                           {"chmod"},
                                           {"chown"},
                                           {"exclude", FlagKind::list},
                                           {"keep-git-dir", FlagKind::boolean},
                                           {"link", FlagKind::boolean},
                                           {"unpack", FlagKind::boolean}};
  const bool add = s.keyword == "ADD";
  std::vector<std::string> words;
  if (s.json.kind == JsonWords::Kind::strings) {
    words = s.json.words;
  } else {
    const auto split = split_words(s.rest);
    words.assign(split.begin(), split.end());
  }
  if (words.size() < 2) {
    diagnostics.error(
        s.where, s.keyword + " requires at least two arguments, but only one was provided. Destination could not be determined");
    return std::nullopt;
  }
  if (words.size() > kMaxWords) {
    diagnostics.error(s.where, format("{} has more than {} arguments", s.keyword, kMaxWords));
    return std::nullopt;
  }
  if (!check_flags(s, add ? std::span<const FlagSpec>(kAddFlags) : kCopyFlags, diagnostics)) return std::nullopt;

  Copy copy{.add = add, .destination = std::move(words.back())};
  words.pop_back();
  if (parse_heredoc_word(copy.destination)) {
    diagnostics.error(s.where, s.keyword + " cannot accept a heredoc as a destination");
    return std::nullopt;
  }
  // By name: the line was searched with regard to quotes, the words here were split without it.
  std::map<std::string_view, const Heredoc*> bodies;
  for (const Heredoc& heredoc : s.heredocs) bodies[heredoc.name] = &heredoc;
  for (std::string& word : words) {
    auto heredoc = parse_heredoc_word(word);
    if (!heredoc) {
      copy.sources.push_back(std::move(word));
      continue;
    }
    if (const auto found = bodies.find(heredoc->name); found != bodies.end())
      set_body(*heredoc, found->second->strip_tabs ? found->second->raw : found->second->body);
    copy.heredocs.push_back(std::move(*heredoc));
  }
  copy.from = text_flag(s, "from");
  copy.chown = text_flag(s, "chown");
  copy.chmod = text_flag(s, "chmod");
  copy.checksum = text_flag(s, "checksum");
  copy.excludes = list_flag(s, "exclude");
  copy.link = boolean_flag(s, "link").value_or(false);
  copy.parents = boolean_flag(s, "parents").value_or(false);
  copy.keep_git_dir = boolean_flag(s, "keep-git-dir").value_or(false);
  copy.unpack = boolean_flag(s, "unpack");
  return copy;
}

}  // namespace mica::dockerfile
