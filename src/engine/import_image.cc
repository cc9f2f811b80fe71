#include "engine/import_image.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/format.h"
#include "engine/add_image.h"
#include "engine/collect_garbage.h"
#include "engine/config_changes.h"

namespace mica::engine {
namespace {

bool is_url(std::string_view text) { return text.starts_with("http://") || text.starts_with("https://"); }

Result<sys::Fd> download(Engine& engine, const std::string& url, task::Cancel cancel) {
  const std::string path = engine.workspace().path() + "/import.download";
  auto file = TRY(sys::open(path, O_CREAT | O_RDWR | O_TRUNC, 0600));
  auto copy = TRY(file.duplicate());
  stream::FdSink sink(std::move(copy));
  std::string body;
  http::Request request;
  request.url = url;
  const auto response = TRY_DOING(engine.http().run(request, sink, &body, cancel), format("downloading {}", url));
  if (response.status / 100 != 2)
    return failf(response.status == 404 ? Errc::not_found : Errc::unavailable, "downloading {}: the server answered {}", url, response.status);
  TRY(sys::remove_file(path));
  if (::lseek(file.get(), 0, SEEK_SET) < 0) return fail_errno("rewinding the download");
  return file;
}

Result<sys::Fd> open_source(Engine& engine, const std::string& source, task::Cancel cancel) {
  if (is_url(source)) return download(engine, source, cancel);
  if (source != "-") return sys::open(source, O_RDONLY);
  const int copy = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return fail_errno("reading standard input");
  return sys::Fd(copy);
}

}  // namespace

Result<oci::ImageId> import_image(Engine& engine, const ImportImage& request, task::Cancel cancel) {
  std::vector<oci::Reference> names;
  if (!request.name.empty()) {
    auto name = TRY(oci::Reference::parse(request.name));
    if (!name.digest.empty()) return fail(Errc::invalid_argument, "cannot import digest reference");
    names.push_back(std::move(name));
  }
  oci::ImageConfig config;
  config.platform = oci::Platform::host();
  if (!request.platform.empty()) config.platform = TRY(oci::Platform::parse(request.platform));
  for (const auto& change : request.changes) TRY(apply_change(config, change));
  const auto epoch = TRY(source_date_epoch());
  config.created = epoch ? *epoch : now();

  auto file = TRY(open_source(engine, request.source, cancel));
  stream::FdSource source(std::move(file));
  const auto hold = TRY(hold_off_collection(engine));
  snapshot::Chain chain;
  const auto diff_id = TRY_DOING(add_layer(engine, chain, source, {}, cancel), format("importing {}", request.source));
  config.diff_ids = {diff_id};
  config.history = {{.created = config.created, .comment = request.message.empty() ? "Imported from " + request.source : request.message}};
  const std::string bytes = config.write();
  return add_image(engine, chain, config, bytes, names);
}

}  // namespace mica::engine
