#include <sys/utsname.h>

#include "base/format.h"
#include "cli/commands.h"
#include "cli/list_format.h"
#include "oci/platform.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"format", 'f', "string", "Format output using a custom template:\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template"},
};

json::Value version_json() {
  utsname machine{};
  ::uname(&machine);
  const auto platform = oci::Platform::host();
  json::Value client = json::Value::object();
  client.set("Version", MICA_VERSION);
  client.set("Os", platform.os);
  client.set("Arch", platform.architecture);
  client.set("KernelVersion", std::string(machine.release));
  json::Value value = json::Value::object();
  json::Value server = client;
  value.set("Client", std::move(client));
  // No daemon: what scripts ask of the server is answered by the same program.
  value.set("Server", std::move(server));
  return value;
}

Result<int> run(Context& context) {
  const json::Value value = version_json();
  if (context.args.has("format")) {
    const std::string text = TRY(render_one(context.args.text("format"), value, "system.versionInfo"));
    TRY(print(text));
    return 0;
  }
  const json::Value& client = *value.find("Client");
  TRY(print(format("mica:\n Version:           {}\n OS/Arch:           {}/{}\n Kernel:            {}\n Daemon:            none needed\n",
                   client.string_or("Version"), client.string_or("Os"), client.string_or("Arch"), client.string_or("KernelVersion"))));
  return 0;
}

}  // namespace

constinit const Command kVersion{.usage = "[OPTIONS]",
                                 .summary = "Show the mica version information",
                                 .aliases = {},
                                 .flags = kFlags,
                                 .least = 0,
                                 .most = 0,
                                 .needs = Needs::nothing,
                                 .run = run};

}  // namespace mica::cli
