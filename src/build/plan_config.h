/// Instructions as changes of an image config, and how Docker's history tells them.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "dockerfile/tree.h"
#include "oci/image.h"

namespace mica::build {

/// How the words of one instruction are expanded.
struct WordExpander {
  std::function<Result<std::string>(const std::string&)> word;
  std::function<Result<std::vector<std::string>>(const std::string&)> words;  ///< expanded, then split: EXPOSE
  std::function<Result<std::string>(const std::string&)> document;            ///< body of a here-document
};
/// The instruction with all that Docker expands expanded: ADD COPY ENV EXPOSE LABEL STOPSIGNAL USER VOLUME WORKDIR. Others come
/// back as they are. EXPOSE's words are sorted before, as Docker does. Errors: of the expander.
Result<dockerfile::Command> expand_command(const dockerfile::Command& command, const WordExpander& expander);

/// Applies an expanded instruction that needs no files, and returns its history text: "ENV A=b"; "" for ONBUILD, which leaves
/// none. MAINTAINER sets the author. Errors: invalid_argument (a bad port or signal, an empty volume, an instruction that is not
/// about the config: ADD ARG COPY RUN).
Result<std::string> apply_command(oci::ImageConfig& config, const dockerfile::Command& expanded);

/// argv of a command line: the words, or SHELL and the text.
std::vector<std::string> argv_of(const oci::ImageConfig& config, const dockerfile::CommandLine& command);

/// WORKDIR joined to the one before: an absolute path is kept as typed, a relative one is joined and cleaned.
std::string joined_workdir(const std::string& current, const std::string& wanted);

}  // namespace mica::build
