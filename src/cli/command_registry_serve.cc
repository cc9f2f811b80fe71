#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "engine/interrupt.h"
#include "engine/serve_registry.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"addr", 0, "string", "Address to listen on: HOST:PORT, PORT, or unix:/PATH;\nport 0 takes a free one (default \"127.0.0.1:0\")"},
    {"htpasswd", 0, "string", "File of users, as 'htpasswd -B' writes it (default: no\npasswords)"},
    {"read-only", 0, "", "Refuse pushes and deletions"},
    {"storage", 0, "string", "What is served: \"layout:PATH\" (an OCI layout folder, made\nwhen missing) or \"store\" (default \"store\")"},
    {"tls-cert", 0, "string", "Certificate (PEM), with those of intermediate authorities"},
    {"tls-key", 0, "string", "Its key (PEM)"},
};

Result<std::string> layout_of(const std::string& storage) {
  if (storage == "store") return std::string();
  if (storage.starts_with("layout:") && storage.size() > 7) return storage.substr(7);
  return fail(Error(Errc::invalid_argument, format("unknown storage {}", quoted(storage))).with_hint("use \"store\" or \"layout:PATH\""));
}

void announce(const engine::Serving& serving, const engine::ServeRegistry& request) {
  const bool unix_socket = serving.address.starts_with("unix:");
  (void)print(unix_socket ? serving.address + "\n" : format("{}://{}\n", serving.tls ? "https" : "http", serving.address));
  (void)std::fflush(stdout);
  if (serving.loopback) return;
  if (request.password_file.empty() && !request.read_only) note("mica: anybody who reaches this address may push and delete\n  hint: --htpasswd asks for passwords, --read-only only lets pull\n");
  if (!request.password_file.empty() && !serving.tls) note("mica: passwords cross the network unencrypted\n  hint: give --tls-cert and --tls-key\n");
}

/// The store; read-only media will do where nothing is pushed.
Result<std::unique_ptr<engine::Engine>> open_store(const engine::Options& options, bool read_only) {
  auto opened = engine::Engine::open(options);
  if (!opened && read_only && opened.error().code() == Errc::permission_denied) return engine::Engine::open_for_reading(options);
  return opened;
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  engine::ServeRegistry request{.address = args.text("addr", "127.0.0.1:0"), .password_file = args.text("htpasswd"),
                                .certificate_file = args.text("tls-cert"), .key_file = args.text("tls-key"), .read_only = args.flag("read-only")};
  request.layout = TRY(layout_of(args.text("storage", "store")));
  const auto interrupt = TRY(engine::Interrupt::install());
  std::unique_ptr<engine::Engine> engine;
  if (request.layout.empty()) engine = TRY(open_store(context.options, request.read_only));
  TRY(engine::serve_registry(engine.get(), request, [&](const engine::Serving& serving) { announce(serving, request); }, interrupt.cancel()));
  return 0;
}

}  // namespace

constinit const Command kRegistryServe{
    .usage = "[OPTIONS]", .summary = "Serve images as a registry", .aliases = {}, .flags = kFlags, .least = 0, .most = 0, .needs = Needs::store, .run = run};

}  // namespace mica::cli
