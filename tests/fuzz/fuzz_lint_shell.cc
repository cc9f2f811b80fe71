// Any text as shell: the places of the tree lie within it, what is nested lies within what holds it, and every command can be asked for its
// program, operands and flags.
#include <cstdint>

#include "base/error.h"
#include "lint/shell.h"

namespace {
using namespace mica::lint::shell;

constexpr std::size_t kMaxBytes = 1 << 20;

void check(std::size_t begin, std::size_t end, std::size_t size) {
  MICA_ASSERT(begin <= end && end <= size, "places lie within the text");
}

void check(const Word& word, std::size_t size) {
  check(word.begin, word.end, size);
  MICA_ASSERT(word.literal == word.expansions.empty(), "a literal word has no expansions");
  for (const Expansion& expansion : word.expansions) {
    check(expansion.begin, expansion.end, size);
    MICA_ASSERT(expansion.begin >= word.begin && expansion.end <= word.end, "an expansion lies within its word");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxBytes) return 0;
  const Script script = parse(std::string(reinterpret_cast<const char*>(data), size));
  if (script.fault) MICA_ASSERT(script.fault->offset <= size && !script.fault->message.empty(), "a fault has place and message");
  for (const std::size_t comment : script.comments) MICA_ASSERT(script.text.at(comment) == '#', "comments begin with #");
  each_node(script, [&](const Visit& visit) {
    const Command& command = *visit.command;
    check(command.begin, command.end, size);
    check(visit.pipeline->begin, visit.pipeline->end, size);
    MICA_ASSERT(visit.link < visit.and_or->links.size(), "the link is one of its chain");
    for (const Assignment& assignment : command.assignments) {
      check(assignment.begin, assignment.end, size);
      check(assignment.value, size);
    }
    for (const Word& word : command.words) check(word, size);
    for (const Redirect& redirect : command.redirects) {
      check(redirect.begin, redirect.end, size);
      check(redirect.target, size);
      if (redirect.document) check(redirect.document->begin, redirect.document->end, size);
    }
    MICA_ASSERT(program_index(command) <= command.words.size(), "the program is one of the words");
    (void)program(command);
    MICA_ASSERT(operands(command, {"-t", "--to"}).size() <= command.words.size(), "operands are words");
    (void)has_flag(command, "-y");
    (void)has_flag(command, "--yes");
  });
  return 0;
}
