/// An OciRuntime that runs a program with runc's command line.
#pragma once
#include <string>
#include <vector>

#include "runtime/cgroups.h"
#include "runtime/oci_runtime.h"

namespace mica::runtime {

struct Program {
  std::string path;
  std::string name;          ///< "runc 1.1.5"
  bool x32 = false;          ///< see kernel_has_x32()
};

std::unique_ptr<OciRuntime> make_program_runtime(Program program, Cgroups cgroups);

/// find_runtime() on a machine with these control groups.
Result<std::unique_ptr<OciRuntime>> find_runtime(const std::string& name, const std::string& cache_file, Cgroups cgroups);

/// The runtime's own complaint in its log (one JSON object a line), empty when there is none: the command then ran.
std::string complaint_in(std::string_view log);
/// The error for a complaint: commands that do not exist or cannot be executed get the shell's exit statuses 127 and 126.
Error error_of_complaint(const std::string& complaint, const std::string& runtime);

}  // namespace mica::runtime
