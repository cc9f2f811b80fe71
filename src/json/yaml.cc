#include "json/yaml.h"

#include <yaml.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <unordered_set>

#include "base/format.h"
#include "json/yaml_scalar.h"

namespace mica::json {
namespace {

constexpr std::string_view kOwnTags = "tag:yaml.org,2002:";

std::string_view view(const yaml_char_t* text) { return text ? reinterpret_cast<const char*>(text) : std::string_view(); }
int line_of(const yaml_mark_t& mark) { return static_cast<int>(mark.line) + 1; }
int column_of(const yaml_mark_t& mark) { return static_cast<int>(mark.column) + 1; }

Error wrong(int line, int column, std::string_view why) {
  return Error(Errc::corrupt, format("invalid YAML at line {}, column {}: {}", line, column, why));
}
Error wrong_at(const yaml_mark_t& mark, std::string_view why) { return wrong(line_of(mark), column_of(mark), why); }

/// libyaml's parser, and the event it read last.
class Events {
 public:
  explicit Events(std::string_view text) : text_(text) {
    MICA_ASSERT(yaml_parser_initialize(&parser_) != 0, "out of memory");
    const char* const start = text.empty() ? "" : text.data();   // libyaml wants an address for nothing, too
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(start), text.size());
  }
  Events(const Events&) = delete;
  ~Events() {
    yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }

  Result<> next() {
    yaml_event_delete(&event_);
    if (yaml_parser_parse(&parser_, &event_)) return {};
    event_ = {};
    const std::string_view problem = parser_.problem ? parser_.problem : "not YAML";
    if (parser_.error == YAML_READER_ERROR) return fail(unreadable(problem));
    std::string why(problem);
    if (parser_.context) why += format(" ({}, from line {})", parser_.context, line_of(parser_.context_mark));
    return fail(wrong_at(parser_.problem_mark, why));
  }
  const yaml_event_t& event() const { return event_; }

 private:
  /// The reader (bad UTF-8, control characters) knows only how many bytes it has passed.
  Error unreadable(std::string_view problem) const {
    const std::string_view before = text_.substr(0, std::min(parser_.problem_offset, text_.size()));
    const std::size_t line_start = before.rfind('\n') + 1;
    return wrong(static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1, static_cast<int>(before.size() - line_start) + 1, problem);
  }

  std::string_view text_;
  yaml_parser_t parser_{};
  yaml_event_t event_{};
};

struct Size {
  std::size_t values = 0, bytes = 0;
};

/// A value with its place, and what it adds to the limits.
struct Node {
  Value value;
  Place place;
  Size size;
  bool is_merge_key = false;   ///< the plain scalar "<<"
};

/// A container that is not closed yet.
struct Open {
  Node node;
  std::string anchor;
  std::optional<Node> key;                    ///< of a mapping: the key whose value comes next
  std::unordered_set<std::string> seen;       ///< keys that stand in the mapping itself
  std::vector<Node> merged;                   ///< mappings of "<<", which come last: own keys win
};

/// Builds documents from events. `open_` holds the containers not yet closed: depth costs heap, never stack.
class Builder {
 public:
  Builder(std::string_view text, const YamlLimits& limits) : events_(text), limits_(limits) {}

  Result<std::vector<YamlDocument>> run(bool one_only) {
    std::vector<YamlDocument> documents;
    for (;;) {
      TRY(events_.next());
      const yaml_event_t& event = events_.event();
      switch (event.type) {
        case YAML_STREAM_END_EVENT: return documents;
        case YAML_DOCUMENT_START_EVENT:
          if (one_only && !documents.empty()) return fail(wrong_at(event.start_mark, "a second document begins here, but only one is expected"));
          anchors_.clear();
          root_ = Node{};
          break;
        case YAML_DOCUMENT_END_EVENT: documents.push_back({std::move(root_.value), std::move(root_.place)}); break;
        case YAML_ALIAS_EVENT: TRY(alias(event)); break;
        case YAML_SCALAR_EVENT: TRY(scalar(event)); break;
        case YAML_SEQUENCE_START_EVENT:
          TRY(open(event, Value::array(), event.data.sequence_start.tag, event.data.sequence_start.anchor, "seq"));
          break;
        case YAML_MAPPING_START_EVENT:
          TRY(open(event, Value::object(), event.data.mapping_start.tag, event.data.mapping_start.anchor, "map"));
          break;
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT: TRY(close()); break;
        default: break;
      }
    }
  }

 private:
  Result<> count(Size more) {
    total_.values += more.values;
    total_.bytes += more.bytes;
    if (total_.values > limits_.values)
      return failf(Errc::resource_exhausted, "YAML has more than {} values, with what its aliases repeat", limits_.values);
    if (total_.bytes > limits_.bytes)
      return failf(Errc::resource_exhausted, "YAML has more than {} bytes of text, with what its aliases repeat", limits_.bytes);
    return {};
  }

  static Node start(const yaml_event_t& event) {
    Node node;
    node.place.line = line_of(event.start_mark);
    node.place.column = column_of(event.start_mark);
    node.size.values = 1;
    return node;
  }

  Result<> scalar(const yaml_event_t& event) {
    const auto& data = event.data.scalar;
    const std::string_view text(reinterpret_cast<const char*>(data.value), data.length);
    Node node = start(event);
    node.size.bytes = text.size();
    TRY(count(node.size));
    const std::string_view tag = view(data.tag);
    if (tag.starts_with(kOwnTags)) {
      auto value = tagged_scalar(tag.substr(kOwnTags.size()), text);
      if (!value) return fail(wrong_at(event.start_mark, format("\"{}\" is no !!{}", text, tag.substr(kOwnTags.size()))));
      node.value = std::move(*value);
    } else {
      const bool is_plain = data.style == YAML_PLAIN_SCALAR_STYLE && tag != "!";
      node.value = is_plain ? plain_scalar(text) : Value(text);
      node.is_merge_key = is_plain && text == "<<";
      if (tag != "!") node.place.tag = tag;
    }
    const std::string anchor(view(data.anchor));
    if (wants_key()) {
      // Kept as it is written: 8080, 1.0 and null are names here.
      node.value = Value(text);
      if (!anchor.empty()) anchors_.insert_or_assign(anchor, node);
      return take_key(std::move(node));
    }
    if (!anchor.empty()) anchors_.insert_or_assign(anchor, node);
    return place(std::move(node));
  }

  Result<> alias(const yaml_event_t& event) {
    const std::string name(view(event.data.alias.anchor));
    if (++aliases_ > limits_.aliases) return failf(Errc::resource_exhausted, "YAML has more than {} aliases", limits_.aliases);
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) return fail(wrong_at(event.start_mark, format("there is no anchor &{} before this alias", name)));
    TRY(count(found->second.size));
    Node node = found->second;
    node.is_merge_key = false;
    if (!wants_key()) return place(std::move(node));
    if (!node.value.is_string()) return fail(wrong_at(event.start_mark, format("*{} is no string and cannot be a key", name)));
    node.place.line = line_of(event.start_mark);
    node.place.column = column_of(event.start_mark);
    return take_key(std::move(node));
  }

  Result<> open(const yaml_event_t& event, Value empty, const yaml_char_t* tag_text, const yaml_char_t* anchor, std::string_view kind) {
    if (wants_key()) return fail(wrong_at(event.start_mark, "a key must be a scalar, not a mapping or a sequence"));
    if (static_cast<int>(open_.size()) >= limits_.depth) return failf(Errc::resource_exhausted, "YAML is nested deeper than {} levels", limits_.depth);
    Open container{.node = start(event), .anchor = std::string(view(anchor))};
    TRY(count(container.node.size));
    container.node.value = std::move(empty);
    const std::string_view tag = view(tag_text);
    if (tag.starts_with(kOwnTags)) {
      if (tag.substr(kOwnTags.size()) != kind) return fail(wrong_at(event.start_mark, format("!!{} is not supported for this", tag.substr(kOwnTags.size()))));
    } else if (tag != "!") {
      container.node.place.tag = tag;
    }
    open_.push_back(std::move(container));
    return {};
  }

  Result<> close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    for (Node& from : done.merged) merge(done, std::move(from));
    if (!done.anchor.empty()) anchors_.insert_or_assign(done.anchor, done.node);
    return place(std::move(done.node));
  }

  /// The members of `from` that `into` has not. Of several merged mappings the first wins.
  static void merge(Open& into, Node from) {
    Object& members = from.value.as_object();
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (!into.seen.insert(members[i].first).second) continue;
      into.node.value.as_object().push_back(std::move(members[i]));
      into.node.place.children.push_back(std::move(from.place.children[i]));
    }
    // Counted whole, members that lose too: more than it is, never less.
    into.node.size.values += from.size.values;
    into.node.size.bytes += from.size.bytes;
  }

  bool wants_key() const { return !open_.empty() && open_.back().node.value.is_object() && !open_.back().key; }

  Result<> take_key(Node key) {
    Open& mapping = open_.back();
    const std::string& name = key.value.as_string();
    if (!key.is_merge_key && !mapping.seen.insert(name).second) {
      const Object& members = mapping.node.value.as_object();
      const auto first = std::find_if(members.begin(), members.end(), [&](const Member& member) { return member.first == name; });
      const Place& there = mapping.node.place.children[static_cast<std::size_t>(first - members.begin())];
      return fail(wrong(key.place.line, key.place.column, format("key \"{}\" is there already, at line {}", name, there.key_line)));
    }
    mapping.key = std::move(key);
    return {};
  }

  Result<> place(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return {};
    }
    Open& parent = open_.back();
    if (parent.node.value.is_object()) {
      Node key = std::move(*parent.key);
      parent.key.reset();
      if (key.is_merge_key) return keep_for_merge(parent, std::move(node));
      add_sizes(parent, key.size);
      node.place.key_line = key.place.line;
      node.place.key_column = key.place.column;
      add_sizes(parent, node.size);
      parent.node.value.as_object().emplace_back(key.value.as_string(), std::move(node.value));
    } else {
      add_sizes(parent, node.size);
      parent.node.value.as_array().push_back(std::move(node.value));
    }
    parent.node.place.children.push_back(std::move(node.place));
    return {};
  }

  static void add_sizes(Open& parent, Size more) {
    parent.node.size.values += more.values;
    parent.node.size.bytes += more.bytes;
  }

  static Result<> keep_for_merge(Open& parent, Node node) {
    const auto refuse = [&] { return fail(wrong(node.place.line, node.place.column, "\"<<\" merges a mapping or a sequence of mappings, nothing else")); };
    if (node.value.is_object()) {
      parent.merged.push_back(std::move(node));
      return {};
    }
    if (!node.value.is_array()) return refuse();
    for (std::size_t i = 0; i < node.value.as_array().size(); ++i) {
      Value& item = node.value.as_array()[i];
      if (!item.is_object()) return refuse();
      Node part{.value = std::move(item), .place = std::move(node.place.children[i])};
      // The sequence's size is counted once, with its first item.
      if (i == 0) part.size = node.size;
      parent.merged.push_back(std::move(part));
    }
    return {};
  }

  Events events_;
  const YamlLimits& limits_;
  Node root_;
  std::vector<Open> open_;
  std::unordered_map<std::string, Node> anchors_;
  Size total_;
  std::size_t aliases_ = 0;
};

Result<std::vector<YamlDocument>> read(std::string_view text, const YamlLimits& limits, bool one_only) {
  if (text.size() > limits.bytes) return failf(Errc::resource_exhausted, "YAML of {} bytes is larger than the limit of {}", text.size(), limits.bytes);
  Builder builder(text, limits);
  return builder.run(one_only);
}

}  // namespace

const Place& YamlDocument::find(const std::vector<std::string>& path) const {
  const Value* at = &value;
  const Place* there = &place;
  for (const std::string& part : path) {
    std::size_t index = there->children.size();
    if (at->is_object()) {
      const Object& members = at->as_object();
      index = static_cast<std::size_t>(std::find_if(members.begin(), members.end(), [&](const Member& member) { return member.first == part; }) - members.begin());
    } else if (at->is_array()) {
      const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), index);
      if (error != std::errc() || stop != part.data() + part.size()) break;
    }
    if (index >= there->children.size()) break;
    at = at->is_object() ? &at->as_object()[index].second : &at->as_array()[index];
    there = &there->children[index];
  }
  return *there;
}

Result<Value> parse_yaml(std::string_view text, const YamlLimits& limits) {
  auto documents = TRY(read(text, limits, true));
  return documents.empty() ? Value() : std::move(documents.front().value);
}

Result<std::vector<YamlDocument>> parse_yaml_documents(std::string_view text, const YamlLimits& limits) { return read(text, limits, false); }

}  // namespace mica::json
