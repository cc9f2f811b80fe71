#include "build/explain.h"

#include "base/format.h"
#include "base/text.h"
#include "stream/compression.h"

namespace mica::build {
namespace {

constexpr std::size_t kMaxPartsBytes = 256 << 20;
constexpr std::size_t kPackedAtOnce = 64 << 10;
constexpr std::size_t kShownChanges = 12;

std::string shown_time(Timestamp time) { return docker_time(time).substr(0, 19); }

std::string shown_duration(std::int64_t ns) { return format("{:.1f}s", static_cast<double>(ns) / 1e9); }

}  // namespace

Result<std::string> pack_parts(const Parts& parts) {
  stream::MemorySink sink;
  auto encoder = TRY(stream::compress(sink, stream::Compression::zstd, 1));
  std::string text(kPartsMagic);
  const auto write = [&]() -> Result<> {
    TRY(encoder->write({reinterpret_cast<const unsigned char*>(text.data()), text.size()}));
    text.clear();
    return {};
  };
  for (const Part& part : parts) {
    append_part(text, part);
    if (text.size() >= kPackedAtOnce) TRY(write());
  }
  TRY(write());
  TRY(encoder->finish());
  return sink.take();
}

Result<Parts> parts_of(const store::BlobStore& blobs, const Record& record) {
  const std::string bytes = TRY(blobs.read(record.parts, kMaxPartsBytes));
  stream::MemorySource compressed(bytes);
  auto source = TRY(stream::decompress(compressed, stream::Compression::zstd));
  const std::string text = TRY(stream::read_all(*source, kMaxPartsBytes));
  return decode_parts(text);
}

std::vector<std::string> why_it_ran(const Parts& parts, const std::vector<Record>& near, const std::optional<Eviction>& eviction,
                                    const store::BlobStore& blobs, const std::string& parent_name) {
  std::vector<std::string> reasons;
  std::optional<Changes> least;
  const Record* nearest = nullptr;
  for (const Record& record : near) {
    const auto before = parts_of(blobs, record);
    if (!before) continue;
    Changes changes = compare_parts(*before, parts, kShownChanges);
    if (least && changes.total >= least->total) continue;
    least = std::move(changes);
    nearest = &record;
  }
  if (eviction) reasons.push_back(format("its result was removed by {} on {}", eviction->reason, shown_time(eviction->when)));
  if (!least) {
    if (!eviction) reasons.push_back("no earlier run of this step is known");
    return reasons;
  }
  if (least->total == 0 && !eviction) reasons.push_back(format("the result of its run of {} is gone", shown_time(nearest->created)));
  for (const Change& change : least->list) {
    std::string line = describe(change);
    if (change.name == "parent" && !parent_name.empty()) line += format(" (by {})", parent_name);
    reasons.push_back(std::move(line));
  }
  if (least->total > least->list.size()) reasons.push_back(format("and {} more", least->total - least->list.size()));
  return reasons;
}

std::vector<std::string> why_it_hit(const Parts& parts, const Record& record, bool parent_ran) {
  std::size_t files = 0;
  std::string parent;
  for (const Part& part : parts) {
    if (part.name.starts_with("file ")) ++files;
    if (part.name == "parent") parent = part.value.substr(0, 12);
  }
  std::string line = "same instruction";
  if (!parent.empty()) line += format(", same root filesystem below ({})", parent);
  if (files > 0) line += format(", {} {} unchanged", files, files == 1 ? "file" : "files");
  std::vector<std::string> reasons = {line + format("; ran {} in {}", shown_time(record.created), shown_duration(record.duration_ns))};
  if (parent_ran) reasons.push_back("the step before it ran again with an equal result");
  return reasons;
}

}  // namespace mica::build
