#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "cli/template_tree.h"
#include "cli/template_value.h"

namespace mica::cli {

using namespace go;

namespace {

constexpr int kMaxTemplateDepth = 100;
constexpr int kMaxWalkDepth = 1000;
constexpr std::size_t kMaxOutputBytes = 256 << 20;

class Runner {
 public:
  Runner(const Template::Tree& tree, const json::Value& data, const Typing& typing, bool header, std::string& out)
      : tree_(tree), typing_(typing), data_(data), out_(out), context_{header, &typing, &data} {}

  Result<> run() {
    const Val dot{data_, Hint::structure};
    variables_.emplace_back("$", dot);
    TRY(walk(*tree_.root, dot));
    return {};
  }

 private:
  enum class Flow { on, break_, continue_ };

  std::unexpected<Error> error(std::string_view message) const {
    std::size_t position = at_ ? at_->position : 0;
    int line = 1;
    std::size_t column = position;
    for (std::size_t i = 0; i < position && i < tree_.text.size(); ++i)
      if (tree_.text[i] == '\n') ++line, column = position - i - 1;
    return fail(Errc::invalid_argument,
                format("template: :{}:{}: executing {} at <{}>: {}", line, column, quoted(name_), at_ ? at_->source() : "", message));
  }

  Result<Flow> walk(const Node& node, const Val& dot) {
    at_ = &node;
    if (walking_ > kMaxWalkDepth) return error("the template nests too deep");
    ++walking_;
    auto flow = walk_node(node, dot);
    --walking_;
    return flow;
  }

  Result<Flow> walk_node(const Node& node, const Val& dot) {
    switch (node.kind) {
      case Kind::text: out_ += node.text; return Flow::on;
      case Kind::list:
        for (const auto& child : node.children) {
          const Flow flow = TRY(walk(*child, dot));
          if (flow != Flow::on) return flow;
        }
        return Flow::on;
      case Kind::action: {
        const Val value = TRY(pipe(*node.pipe, dot));
        if (node.pipe->declared.empty()) out_ += printed(value);
        if (out_.size() > kMaxOutputBytes) return error("the output is too long");
        return Flow::on;
      }
      case Kind::if_: case Kind::with: return choose(node, dot);
      case Kind::range: return range(node, dot);
      case Kind::template_: return invoke(node, dot);
      case Kind::break_: return Flow::break_;
      case Kind::continue_: return Flow::continue_;
      default: return error("unknown node");
    }
  }

  Result<Flow> choose(const Node& node, const Val& dot) {
    const std::size_t known = variables_.size();
    const Val value = TRY(pipe(*node.pipe, dot));
    Flow flow = Flow::on;
    if (is_true(value)) flow = TRY(walk(*node.body, node.kind == Kind::with ? value : dot));
    else if (node.otherwise) flow = TRY(walk(*node.otherwise, dot));
    variables_.resize(known);
    return flow;
  }

  /// One turn of a range; false: stop.
  Result<bool> turn(const Node& node, const Val& key, const Val& element) {
    const std::size_t known = variables_.size();
    const auto& declared = node.pipe->declared;
    if (!declared.empty()) {
      set_variable(node.pipe->declared.size() == 1 ? declared[0] : declared[1], element, node.pipe->assign);
      if (declared.size() > 1) set_variable(declared[0], key, node.pipe->assign);
    }
    const Flow flow = TRY(walk(*node.body, element));
    variables_.resize(known);
    return flow != Flow::break_;
  }

  Result<Flow> range(const Node& node, const Val& dot) {
    const std::size_t known = variables_.size();
    declaring_ = false;
    const Val value = TRY(pipe(*node.pipe, dot));
    declaring_ = true;
    bool any = false;
    if (value.value.is_array()) {
      std::int64_t i = 0;
      for (const auto& item : value.value.as_array()) {
        any = true;
        const bool more = TRY(turn(node, {json::Value(i++)}, {item}));
        if (!more) break;
      }
    } else if (value.value.is_object()) {
      std::vector<const json::Member*> members;
      for (const auto& member : value.value.as_object()) members.push_back(&member);
      std::sort(members.begin(), members.end(), [](auto* a, auto* b) { return a->first < b->first; });
      for (const auto* member : members) {
        any = true;
        const bool more = TRY(turn(node, {json::Value(member->first)}, {member->second}));
        if (!more) break;
      }
    } else if (value.value.is_int()) {
      for (std::int64_t i = 0; i < value.value.as_int(); ++i) {
        any = true;
        const bool more = TRY(turn(node, {json::Value(i)}, {json::Value(i)}));
        if (!more || out_.size() > kMaxOutputBytes) break;
      }
    } else if (!value.value.is_null() && !value.absent) {
      return error("range can't iterate over " + shown(value));
    }
    variables_.resize(known);
    if (any || !node.otherwise) return Flow::on;
    return walk(*node.otherwise, dot);
  }

  Result<Flow> invoke(const Node& node, const Val& dot) {
    const auto found = tree_.named.find(node.text);
    if (found == tree_.named.end()) return error(format("template {} not defined", quoted(node.text)));
    if (++depth_ > kMaxTemplateDepth) return error("exceeded maximum template depth (100)");
    Val inner{nullptr, Hint::none, true};
    if (node.pipe) inner = TRY(pipe(*node.pipe, dot));
    auto outer = std::exchange(variables_, {{"$", inner}});
    const std::string outer_name = std::exchange(name_, node.text);
    TRY(walk(*found->second, inner));
    name_ = outer_name;
    variables_ = std::move(outer);
    --depth_;
    return Flow::on;
  }

  void set_variable(const std::string& name, const Val& value, bool assign) {
    if (assign) {
      for (auto i = variables_.rbegin(); i != variables_.rend(); ++i)
        if (i->first == name) {
          i->second = value;
          return;
        }
    }
    variables_.emplace_back(name, value);
  }

  Result<Val> pipe(const Node& node, const Val& dot) {
    at_ = &node;
    const bool declare = std::exchange(declaring_, true);
    std::optional<Val> value;
    for (const auto& child : node.children) {
      auto next = TRY(command(*child, dot, value));
      value = std::move(next);
    }
    if (declare)
      for (const auto& name : node.declared) set_variable(name, *value, node.assign);
    return *value;
  }

  Result<Val> command(const Node& node, const Val& dot, const std::optional<Val>& final) {
    const Node& first = *node.children[0];
    switch (first.kind) {
      case Kind::field: {
        at_ = &first;
        return fields(dot, first.names, 0, node, dot, final, true);
      }
      case Kind::variable: return variable(first, node, dot, final);
      case Kind::chain: return chain(first, node, dot, final);
      case Kind::identifier: return call(first, node, dot, final);
      case Kind::pipe:
        TRY(not_a_function(first, node, final));
        return pipe(first, dot);
      default: break;
    }
    TRY(not_a_function(first, node, final));
    if (first.kind == Kind::dot) return dot;
    if (first.kind == Kind::nil) return error("nil is not a command");
    return Val{first.value};
  }

  Result<> not_a_function(const Node& first, const Node& node, const std::optional<Val>& final) {
    at_ = &first;
    if (node.children.size() > 1 || final) return error("can't give argument to non-function " + first.source());
    return {};
  }

  Result<Val> variable(const Node& first, const Node& node, const Val& dot, const std::optional<Val>& final) {
    at_ = &first;
    for (auto i = variables_.rbegin(); i != variables_.rend(); ++i) {
      if (i->first != first.names[0]) continue;
      if (first.names.size() == 1) {
        TRY(not_a_function(first, node, final));
        return i->second;
      }
      const Val value = i->second;
      return fields(value, first.names, 1, node, dot, final, first.names[0] == "$");
    }
    return error(format("undefined variable: {}", first.names[0]));
  }

  Result<Val> chain(const Node& first, const Node& node, const Val& dot, const std::optional<Val>& final) {
    at_ = &first;
    const Val value = TRY(argument(*first.children[0], dot));
    return fields(value, first.names, 0, node, dot, final, false);
  }

  Result<Val> fields(Val value, const std::vector<std::string>& names, std::size_t from, const Node& node, const Val& dot,
                     const std::optional<Val>& final, bool root) {
    for (std::size_t i = from; i < names.size(); ++i) {
      const bool last = i + 1 == names.size();
      const bool has_arguments = last && (node.children.size() > 1 || final);
      if (root && i == from && typing_.method && last) {
        std::vector<json::Value> arguments;
        for (std::size_t k = 1; k < node.children.size(); ++k) {
          auto value = TRY(argument(*node.children[k], dot));
          arguments.push_back(std::move(value.value));
        }
        if (final) arguments.push_back(final->value);
        if (auto answer = typing_.method(names[i], arguments)) return Val{std::move(*answer)};
      }
      value = TRY(field(value, names[i], has_arguments, node.children.empty() || root || i > from || node.children[0]->kind != Kind::chain));
    }
    return value;
  }

  Hint hint_of(std::string_view name) const {
    for (const auto& [field, hint] : typing_.fields)
      if (field == name) return hint;
    return Hint::none;
  }

  /// A member by Go's name for it: case, '_' and '.' do not count.
  static const json::Value* find_go_name(const json::Value& object, std::string_view name) {
    const auto plain = [](std::string_view text) {
      std::string out = to_lower(text);
      std::erase_if(out, [](char c) { return c == '_' || c == '.'; });
      return out;
    };
    for (const auto& [key, value] : object.as_object())
      if (plain(key) == plain(name)) return &value;
    return nullptr;
  }

  /// `from_map`: the value was a map's element, whose static type is the empty interface.
  Result<Val> field(const Val& value, const std::string& name, bool has_arguments, bool from_map) {
    const bool typed = typing_.missing == Typing::Missing::typed;
    if (value.absent) {
      if (typing_.missing == Typing::Missing::error) return error(format("nil data; no entry for key {}", quoted(name)));
      return value;
    }
    if (value.value.is_object()) {
      const json::Value* found = value.value.find(name);
      if (!found && typing_.go_names) found = find_go_name(value.value, name);
      const bool structure = typed && value.hint != Hint::string_map;
      if (found) {
        if (has_arguments) return error(format("{} {}", name, structure ? "has arguments but cannot be invoked as function" : "is not a method but has arguments"));
        return Val{*found, hint_of(name)};
      }
      if (structure) {
        const Hint hint = hint_of(name);
        if (hint == Hint::none) return error(format("can't evaluate field {} in type {}", name, type_of(value)));
        return Val{hint == Hint::text ? json::Value("") : json::Value(), hint};
      }
      if (has_arguments) return error(format("{} is not a method but has arguments", name));
      if (typing_.missing == Typing::Missing::error) return error(format("map has no entry for key {}", quoted(name)));
      return Val{nullptr, Hint::none, true};
    }
    if (value.value.is_null() && value.hint == Hint::string_map) return Val{nullptr, Hint::none, true};
    if (value.value.is_null()) return error(format("nil pointer evaluating {}.{}", typed ? "*" + typing_.type_name : "interface {}", name));
    return error(format("can't evaluate field {} in type {}", name, typing_.missing == Typing::Missing::error && from_map ? "interface {}" : type_name(value)));
  }

  std::string type_of(const Val& value) const { return value.hint == Hint::structure && value.value == data_ ? typing_.type_name : type_name(value); }

  Result<Val> argument(const Node& node, const Val& dot) {
    at_ = &node;
    switch (node.kind) {
      case Kind::dot: return dot;
      case Kind::nil: return Val{};
      case Kind::boolean: case Kind::number: case Kind::string: return Val{node.value};
      case Kind::field: return fields(dot, node.names, 0, kAlone, dot, std::nullopt, true);
      case Kind::variable: return variable(node, kAlone, dot, std::nullopt);
      case Kind::chain: return chain(node, kAlone, dot, std::nullopt);
      case Kind::pipe: return pipe(node, dot);
      case Kind::identifier: return call(node, kAlone, dot, std::nullopt);
      default: return error("can't handle " + node.source());
    }
  }

  Result<Val> call(const Node& first, const Node& node, const Val& dot, const std::optional<Val>& final) {
    at_ = &first;
    const bool shortcut = first.text == "and" || first.text == "or";
    std::vector<Val> arguments;
    for (std::size_t i = 1; i < node.children.size(); ++i) {
      auto value = TRY(argument(*node.children[i], dot));
      arguments.push_back(std::move(value));
      if (shortcut && is_true(arguments.back()) == (first.text == "or")) return arguments.back();
    }
    if (final) arguments.push_back(*final);
    auto answer = call_function(first.text, arguments, context_);
    if (answer) return std::move(*answer);
    const CallFailure& failure = answer.error();
    if (failure.kind == CallFailure::arguments) {
      at_ = &first;
      return error(failure.text);
    }
    if (failure.kind == CallFailure::type) {
      const auto which = static_cast<std::size_t>(failure.argument) + 1;
      if (which < node.children.size()) at_ = node.children[which].get();
      return error(replace_all(failure.text, "%n", at_->source()));
    }
    at_ = node.children.empty() ? &first : &node;
    return error(format("error calling {}: {}", first.text, failure.text));
  }

  static const Node kAlone;
  const Template::Tree& tree_;
  const Typing& typing_;
  const json::Value& data_;
  std::string& out_;
  CallContext context_;
  const Node* at_ = nullptr;
  std::string name_;
  bool declaring_ = true;
  int depth_ = 0, walking_ = 0;
  std::vector<std::pair<std::string, Val>> variables_;
};
const Node Runner::kAlone{Kind::command};

}  // namespace

Result<Template> Template::parse(std::string_view text) {
  Template parsed;
  parsed.tree_ = TRY(go::parse_template(text));
  return parsed;
}

Result<> Template::execute(const json::Value& data, const Typing& typing, std::string& out) const {
  return Runner(*tree_, data, typing, false, out).run();
}

Result<> Template::execute_header(const json::Value& data, std::string& out) const {
  return Runner(*tree_, data, {}, true, out).run();
}

}  // namespace mica::cli
