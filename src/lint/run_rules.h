/// What the rules about RUN have in common: commands with their places, and edits of shell text. Internal.
#pragma once
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lint/commands.h"
#include "lint/inspection.h"
#include "lint/rule.h"

namespace mica::lint {

// Parts of the tables of rule.h.
std::span<const Rule> version_rules();       // rules_versions.cc
std::span<const Rule> install_rules();       // rules_install.cc
std::span<const Rule> cache_rules();         // rules_caches.cc
std::span<const Rule> download_rules();      // rules_downloads.cc
std::span<const Rule> certificate_rules();   // rules_certificates.cc
std::span<const Rule> order_rules();         // rules_order.cc
std::span<const Rule> context_rules();       // rules_context.cc
std::span<const Rule> archive_rules();       // rules_archives.cc
std::span<const Rule> rewrite_rules();       // rules_rewrite.cc
std::span<const Rule> quoting_rules();       // rules_quoting.cc
std::span<const Rule> bashism_rules();       // rules_bashisms.cc
/// One table of several.
std::vector<Rule> joined(std::initializer_list<std::span<const Rule>> parts);

/// A simple command of a RUN.
struct Step {
  const StageView* stage = nullptr;
  const RunView* run = nullptr;
  const shell::Command* command = nullptr;
  shell::Visit visit;
  std::string_view program;
  std::size_t order = 0;                   ///< in its RUN
};
/// Those whose shell is a POSIX one, and exec forms.
void each_run(const Inspection& in, const std::function<void(const StageView&, const RunView&)>& visit);
std::vector<Step> steps_of(const StageView& stage, const RunView& run);
void each_step(const Inspection& in, const std::function<void(const Step&)>& visit);

Span span_of(const Inspection& in, const RunView& run, const shell::Word& word);
Span span_of(const Inspection& in, const Step& step);
/// Its instruction's line, by which pragmas go.
int line_of(const RunView& run);

/// Shell text has places in the source; exec form is JSON, where words cannot be edited.
bool can_edit(const RunView& run);
/// Inserts " text" behind a word.
std::optional<Fix> insert_after(const Inspection& in, const RunView& run, const shell::Word& word, FixKind kind, std::string text);
/// Replaces a whole word.
std::optional<Fix> replace_word(const Inspection& in, const RunView& run, const shell::Word& word, FixKind kind, std::string title,
                                std::string text);
/// Takes words out, with the blanks before them.
std::optional<Fix> remove_words(const Inspection& in, const RunView& run, const shell::Word& first, const shell::Word& last, FixKind kind,
                                std::string title);
/// Appends " && command" to the end of the script. nullopt where that would not run at the end, or not only after success.
std::optional<Fix> append_command(const Inspection& in, const RunView& run, FixKind kind, std::string_view command);

/// A --mount of type cache or tmpfs whose target is `path`, above it or below it.
bool has_cache_mount(const RunView& run, std::string_view path);
/// The same for a target that holds `part`.
bool has_cache_mount_named(const RunView& run, std::string_view part);

/// Value of a variable as ENV, ARG and the script itself say; nullopt: not known. `before`: source offset up to which the stage is read.
std::optional<std::string> value_of(const Inspection& in, const RunView& run, std::string_view name);
/// What the shell makes of a word that stands for packages: several when it is an unquoted variable. Empty: not known.
std::vector<std::string> texts_of(const Inspection& in, const RunView& run, const shell::Word& word);
/// The ENV of the stage or of those it is built from sets `name`; its value then.
std::optional<std::string> env_value(const Inspection& in, const StageView& stage, int before_line, std::string_view name);

/// The script is one chain of commands joined by && alone, so that another may be put before or behind it. `state`: commands that change the
/// shell itself (cd, export, set) do not matter.
bool is_plain_chain(const RunView& run, bool state = false);
/// The lines of `second` joined to `first` by "&&": of two RUNs next to each other. nullopt: their meaning could change.
std::optional<Fix> join_runs(const Inspection& in, const RunView& first, const RunView& second, std::string title);
/// Takes the instruction's lines away, the line end included.
Edit remove_instruction(const Inspection& in, const dockerfile::Instruction& instruction);
/// Where a line may be put in front of an instruction and the comments that belong to it.
std::size_t insertion_before(const Inspection& in, const dockerfile::Instruction& instruction);
/// What ends lines in this file: LF or CR LF.
std::string line_end(const Inspection& in);
char escape_of(const Inspection& in);
bool base_is_alpine(const Inspection& in, const StageView& stage);

/// Instructions of a stage with the runs among them.
struct Entry {
  const dockerfile::Instruction* instruction = nullptr;
  const RunView* run = nullptr;            ///< not those of ONBUILD, nor of other shells than POSIX ones
};
std::vector<Entry> entries_of(const StageView& stage);

std::string without_slash(std::string_view path);
/// Last component, of paths of Windows too.
std::string base_of(std::string_view path);
/// Whether removing `removed` (perhaps with a pattern at its end) takes `path` away.
bool takes(std::string_view removed, std::string_view path);

/// The run after this one in the stage when no instruction stands between. Null: none.
const RunView* next_run(const Inspection& in, const RunView& run);

}  // namespace mica::lint
