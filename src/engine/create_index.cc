#include "engine/create_index.h"

#include <algorithm>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "engine/document_parts.h"
#include "engine/index_annotations.h"
#include "engine/index_json.h"
#include "engine/remote_documents.h"
#include "oci/members.h"

namespace mica::engine {
namespace {

constexpr int kCopiesAtOnce = 4;
constexpr std::string_view kAboutDigest = "vnd.docker.reference.digest";   // an attestation's annotation

/// What a source's text says.
struct Wanted {
  oci::Reference reference;
  json::Value platform, annotations;     ///< of a descriptor; else null
};
struct Entry {
  json::Value descriptor;
  const registry::Repository* repository = nullptr;
  std::string from;                      ///< for messages
};

bool same_repository(const registry::Repository& a, const registry::Repository& b) { return a.registry() == b.registry() && a.path() == b.path(); }

std::string platform_of(const json::Value& descriptor) {
  const json::Value* platform = descriptor.find("platform");
  return platform ? platform_text(*platform) : std::string();
}

std::string about(const json::Value& descriptor) {
  const json::Value* annotations = descriptor.find("annotations");
  return annotations ? annotations->string_or(kAboutDigest) : std::string();
}

class Creation {
 public:
  Creation(CopySession& session, const CreateIndex& request, const IndexRemark& remark, task::Cancel cancel)
      : session_(session), request_(request), remark_(remark), cancel_(cancel) {}

  Result<registry::Document> run() {
    TRY(read_request());
    TRY(read_sources());
    TRY(read_entries());
    filter();
    if (entries_.empty()) return fail(Errc::invalid_argument, "none of the manifests match the provided platforms");
    registry::Document made;
    if (unchanged()) made = sources_[0].document;
    else made = combine();
    if (request_.dry_run) return made;
    for (const auto& tag : tags_) TRY_DOING(put(tag, made), format("pushing {}", tag.str()));
    return made;
  }

 private:
  Result<> read_request() {
    for (const auto& text : request_.tags) {
      auto tag = TRY_DOING(oci::Reference::parse(text), format("invalid tag {}", quoted(text)));
      if (!tag.digest.empty()) return failf(Errc::invalid_argument, "invalid tag {}: a name is wanted, without digest", quoted(text));
      tags_.push_back(std::move(tag));
    }
    if (tags_.empty() && !request_.dry_run) return fail(Errc::invalid_argument, "can't push with no tags specified, please set --tag or --dry-run");
    if (request_.append && tags_.empty()) return fail(Errc::invalid_argument, "--append needs a --tag to append to");
    if (request_.sources.empty()) return fail(Errc::invalid_argument, "no sources specified");
    annotations_ = TRY(parse_index_annotations(request_.annotations));
    for (const auto& text : request_.platforms) {
      for (const auto one : split(text, ',')) {
        const auto platform = TRY(oci::Platform::parse(one));
        platforms_.insert(platform.str());
      }
    }
    return {};
  }

  /// Where a digest without a name is looked for.
  Result<oci::Reference> in_repository_of_tags(const oci::Digest& digest, std::string_view text) const {
    if (tags_.empty()) return failf(Errc::invalid_argument, "{} needs a --tag: its repository is the one to look in", quoted(text));
    for (const auto& tag : tags_)
      if (tag.repository() != tags_[0].repository()) return failf(Errc::invalid_argument, "multiple repositories specified, cannot infer repository for {}", quoted(text));
    return oci::Reference{.registry = tags_[0].registry, .path = tags_[0].path, .digest = digest};
  }

  Result<Wanted> read_source(const std::string& text) const {
    if (text.starts_with("{")) {
      const auto value = TRY_DOING(json::parse(text), format("failed to parse source {}", quoted(text)));
      const auto members = TRY(oci::MembersView::of(value, "descriptor"));
      const auto digest_text = TRY(members.text("digest"));
      const auto digest = TRY_DOING(oci::Digest::parse(digest_text), format("failed to parse source {}", quoted(text)));
      auto reference = TRY(in_repository_of_tags(digest, text));
      Wanted wanted{.reference = std::move(reference)};
      if (const json::Value* platform = members.find("platform")) wanted.platform = *platform;
      if (members.find("annotations")) {
        const auto pairs = TRY(members.pairs("annotations"));
        for (const auto& [key, content] : pairs) wanted.annotations.set(key, content);
      }
      return wanted;
    }
    if (text.starts_with("sha256:")) {
      if (const auto digest = oci::Digest::parse(text)) {
        auto reference = TRY(in_repository_of_tags(*digest, text));
        return Wanted{.reference = std::move(reference)};
      }
    }
    auto reference = TRY_DOING(oci::Reference::parse(text), format("failed to parse source {}, valid sources are digests, references and descriptors", quoted(text)));
    return Wanted{.reference = std::move(reference)};
  }

  Result<> read_sources() {
    if (request_.append) wanted_.push_back({.reference = tags_[0]});
    for (const auto& text : request_.sources) {
      auto wanted = TRY(read_source(text));
      wanted_.push_back(std::move(wanted));
    }
    std::vector<std::optional<RemoteDocument>> read(wanted_.size());
    TRY(run_each(session_.pool, cancel_, wanted_.size(), kCopiesAtOnce, [&](std::size_t i, task::Cancel stop) -> Result<> {
      read[i] = TRY(read_remote_document(session_, wanted_[i].reference, false, stop));
      return {};
    }));
    for (auto& one : read) sources_.push_back(std::move(*one));
    return {};
  }

  Result<> read_entries() {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      const auto& source = sources_[i];
      if (is_index(source.document.media_type)) {
        const auto index = TRY_DOING(read_index(source.document), source.reference.str());
        for (const auto& one : index.find("manifests")->as_array()) add({one, &source.repository, source.reference.str()});
        continue;
      }
      json::Value descriptor = json::Value::object();
      descriptor.set("mediaType", source.document.media_type);
      descriptor.set("digest", source.document.digest.str());
      descriptor.set("size", static_cast<std::int64_t>(source.document.bytes.size()));
      if (!wanted_[i].annotations.is_null()) descriptor.set("annotations", wanted_[i].annotations);
      if (!wanted_[i].platform.is_null()) {
        descriptor.set("platform", wanted_[i].platform);
      } else {
        const auto config = TRY_DOING(read_remote_config(source.repository, source.document, cancel_), source.reference.str());
        if (!config.string_or("architecture").empty()) descriptor.set("platform", normal_platform(config));
      }
      add({ordered_descriptor(descriptor, MemberOrder::oci), &source.repository, source.reference.str()});
    }
    return {};
  }

  void add(Entry entry) {
    const std::string digest = entry.descriptor.string_or("digest");
    const bool known = std::ranges::any_of(entries_, [&](const Entry& other) { return other.descriptor.string_or("digest") == digest; });
    if (!known) entries_.push_back(std::move(entry));
  }

  /// The only source, as it is.
  bool unchanged() const {
    if (sources_.size() != 1 || filtered_ || !annotations_.empty() || !wanted_[0].annotations.is_null() || !wanted_[0].platform.is_null()) return false;
    return is_index(sources_[0].document.media_type) || !request_.prefer_index;
  }

  void filter() {
    if (platforms_.empty()) return;
    std::set<std::string> kept;
    for (const auto& entry : entries_)
      if (platforms_.contains(platform_of(entry.descriptor))) kept.insert(entry.descriptor.string_or("digest"));
    const auto dropped = std::erase_if(entries_, [&](const Entry& entry) {
      return !kept.contains(entry.descriptor.string_or("digest")) && !kept.contains(about(entry.descriptor));
    });
    filtered_ = dropped > 0;
  }

  registry::Document combine() const {
    json::Value of_index;
    bool docker = annotations_.empty();
    json::Value manifests = json::Value::array();
    for (const auto& entry : entries_) {
      json::Value descriptor = entry.descriptor;
      for (const auto& annotation : annotations_) {
        if (annotation.target == IndexAnnotation::Target::index || !about(descriptor).empty()) continue;
        if (!annotation.platform.empty() && annotation.platform != platform_of(descriptor)) continue;
        json::Value annotations = descriptor.find("annotations") ? *descriptor.find("annotations") : json::Value::object();
        annotations.set(annotation.key, annotation.value);
        descriptor.set("annotations", std::move(annotations));
      }
      docker = docker && descriptor.string_or("mediaType") == oci::kDockerManifest;
      manifests.push(ordered_descriptor(descriptor, MemberOrder::oci));
    }
    for (const auto& annotation : annotations_)
      if (annotation.target == IndexAnnotation::Target::index) of_index.set(annotation.key, annotation.value);
    json::Value index = json::Value::object();
    index.set("schemaVersion", 2);
    index.set("mediaType", docker ? oci::kDockerIndex : oci::kOciIndex);
    index.set("manifests", std::move(manifests));
    if (!of_index.is_null()) {
      std::ranges::sort(of_index.as_object(), {}, &json::Member::first);
      index.set("annotations", std::move(of_index));
    }
    registry::Document made{.media_type = index.string_or("mediaType")};
    made.bytes = indented(index, 2);
    made.digest = oci::Digest::of(made.bytes);
    return made;
  }

  Result<> put(const oci::Reference& tag, const registry::Document& document) {
    const auto target = TRY(session_.registry.open(tag, registry::Access::push));
    TRY(run_each(session_.pool, cancel_, entries_.size(), kCopiesAtOnce, [&](std::size_t i, task::Cancel stop) -> Result<> {
      const Entry& entry = entries_[i];
      if (same_repository(*entry.repository, target)) return {};
      const auto digest = TRY(oci::Digest::parse(entry.descriptor.string_or("digest")));
      remark_(format("copying {} from {} to {}", digest.str(), entry.from, tag.str()));
      TRY(copy_below(session_, *entry.repository, target, digest, stop));
      return {};
    }));
    remark_(format("pushing {} to {}", document.digest.str(), tag.str()));
    TRY(target.put_document(tag, document.media_type, document.bytes, cancel_));
    return {};
  }

  CopySession& session_;
  const CreateIndex& request_;
  const IndexRemark& remark_;
  task::Cancel cancel_;
  std::vector<oci::Reference> tags_;
  std::vector<IndexAnnotation> annotations_;
  std::set<std::string> platforms_;
  std::vector<Wanted> wanted_;
  std::vector<RemoteDocument> sources_;   // as wanted_
  std::vector<Entry> entries_;            // point into sources_
  bool filtered_ = false;                 // --platform left some out
};

}  // namespace

Result<registry::Document> create_index(CopySession& session, const CreateIndex& request, const IndexRemark& remark, task::Cancel cancel) {
  return Creation(session, request, remark, cancel).run();
}

}  // namespace mica::engine
