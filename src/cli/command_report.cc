#include <sys/stat.h>

#include "base/format.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/commands.h"
#include "cli/report_page.h"
#include "engine/interrupt.h"
#include "sys/fd.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"base", 0, "string", "Lowest layers that are the base image's: a number, an\nimage of the store, or \"none\" (default: found out)"},
    {"file", 'f', "string", "Dockerfile to show with its findings (default: what the\nrecord of the build has)"},
    {"output", 'o', "string", "File to write, \"-\" for stdout (default\n\"NAME-report.html\")"},
    {"platform", 0, "string", "Report on this platform's image of an index"},
    {"remote", 0, "", "Look at the registry for what the store does not have"},
};

/// "myapp-1.2-report.html" for registry.example/team/myapp:1.2, in the working directory.
std::string default_output(std::string_view what) {
  std::string name = base_name(clean_path(what));
  if (const auto digest = name.find("@sha256"); digest != name.npos) name.resize(digest);
  for (char& c : name)
    if (c == ':' || c == '@' || c == '/' || static_cast<unsigned char>(c) < 0x20) c = '-';
  name = std::string(trim(name, "-. "));
  return (name.empty() ? "image" : name) + "-report.html";
}

/// A device or pipe is written to; renaming over it would replace it.
Result<> write_page(const std::string& path, std::string_view page) {
  struct stat status{};
  const bool is_file = ::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode);
  return is_file ? sys::write_file_atomically(path, page) : sys::write_file(path, page);
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  const engine::ReportRequest request{.image = {.what = args.positional(0), .remote = args.flag("remote"), .platform = args.text("platform"), .base = args.text("base"),
                                                .remark = [](std::string line) { note(line + "\n"); }},
                                      .dockerfile = args.text("file")};
  const std::string output = args.text("output", default_output(request.image.what));
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto report = TRY_DOING(engine::report_image(*engine, request, interrupt.cancel()), format("reporting on {}", request.image.what));
  const std::string page = report_page(report, now());
  if (output == "-") {
    TRY(print(page));
    return 0;
  }
  TRY_DOING(write_page(output, page), format("writing {}", quoted(output)));
  TRY(print(output + "\n"));
  return 0;
}

}  // namespace

constinit const Command kReport{.usage = "[OPTIONS] IMAGE|ARCHIVE|LAYOUT|REF",
                                .summary = "Write a page about an image: its files, layers, waste, build and Dockerfile",
                                .aliases = "mica image report, mica report",
                                .flags = kFlags,
                                .least = 1,
                                .most = 1,
                                .run = run};

}  // namespace mica::cli
