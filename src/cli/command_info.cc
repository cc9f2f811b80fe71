#include <sys/utsname.h>
#include <unistd.h>

#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/list_format.h"
#include "engine/images.h"
#include "oci/platform.h"
#include "sys/userns.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"format", 'f', "string", "Format output using a custom template:\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template"},
};

Result<json::Value> info_json(engine::Engine& engine) {
  const auto images = TRY(engine.images().list());
  utsname machine{};
  ::uname(&machine);
  json::Value value = json::Value::object();
  value.set("ServerVersion", MICA_VERSION);
  value.set("Images", static_cast<std::int64_t>(images.size()));
  value.set("Containers", 0);
  value.set("ContainersRunning", 0);
  value.set("ContainersPaused", 0);
  value.set("ContainersStopped", 0);
  auto runtime = engine.runtime();
  value.set("DefaultRuntime", runtime ? (*runtime)->name() : "none: " + runtime.error().text());
  auto snapshotter = engine.snapshotter();
  value.set("Driver", snapshotter ? std::string((*snapshotter)->name()) : "none: " + snapshotter.error().text());
  value.set("DockerRootDir", engine.root());
  value.set("KernelVersion", std::string(machine.release));
  value.set("OSType", "linux");
  value.set("Architecture", std::string(machine.machine));
  value.set("NCPU", static_cast<std::int64_t>(::sysconf(_SC_NPROCESSORS_ONLN)));
  value.set("MemTotal", static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::int64_t>(::sysconf(_SC_PAGESIZE)));
  value.set("Name", std::string(machine.nodename));
  value.set("Rootless", sys::is_rootless());
  return value;
}

Result<int> run(Context& context) {
  // Asking for the runtime and the snapshotter may try them out, which writes what was found.
  auto engine = TRY(engine::Engine::open(context.options));
  const json::Value value = TRY(info_json(*engine));
  if (context.args.has("format")) {
    const std::string text = TRY(render_one(context.args.text("format"), value, "system.dockerInfo"));
    TRY(print(text));
    return 0;
  }
  TRY(print(format("mica:\n Version:        {}\n Images:         {}\n Snapshotter:    {}\n Runtime:        {}\n Root Dir:       {}\n Rootless:       {}\n Kernel Version: {}\n"
                   " Architecture:   {}\n CPUs:           {}\n Total Memory:   {}\n Name:           {}\n",
                   value.string_or("ServerVersion"), value.int_or("Images"), value.string_or("Driver"), value.string_or("DefaultRuntime"),
                   value.string_or("DockerRootDir"), value.bool_or("Rootless"), value.string_or("KernelVersion"), value.string_or("Architecture"),
                   value.int_or("NCPU"), human_size(value.int_or("MemTotal")), value.string_or("Name"))));
  return 0;
}

}  // namespace

constinit const Command kInfo{.usage = "[OPTIONS]",
                              .summary = "Display system-wide information",
                              .aliases = "mica system info, mica info",
                              .flags = kFlags,
                              .least = 0,
                              .most = 0,
                              .needs = Needs::mounts,
                              .run = run};

}  // namespace mica::cli
