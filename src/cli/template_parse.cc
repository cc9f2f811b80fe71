#include "cli/template_lexer.h"
#include "cli/template_tree.h"

#include "base/format.h"
#include "base/text.h"

namespace mica::cli::go {
namespace {

constexpr std::size_t kMaxTemplateBytes = 1 << 20;
constexpr int kMaxDepth = 200;

NodePtr make(Kind kind, std::size_t position, std::string text = {}) {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  node->position = position;
  node->text = std::move(text);
  return node;
}

void append_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) out += static_cast<char>(c);
  else if (c < 0x800) { out += static_cast<char>(0xc0 | c >> 6); out += static_cast<char>(0x80 | (c & 63)); }
  else if (c < 0x10000) { out += static_cast<char>(0xe0 | c >> 12); out += static_cast<char>(0x80 | (c >> 6 & 63)); out += static_cast<char>(0x80 | (c & 63)); }
  else { out += static_cast<char>(0xf0 | c >> 18); out += static_cast<char>(0x80 | (c >> 12 & 63)); out += static_cast<char>(0x80 | (c >> 6 & 63)); out += static_cast<char>(0x80 | (c & 63)); }
}

/// Go's strconv.Unquote for one quoted literal; nullopt: invalid syntax.
std::optional<std::string> unquote(std::string_view literal) {
  const char quote = literal.front();
  literal = literal.substr(1, literal.size() - 2);
  if (quote == '`') return replace_all(std::string(literal), "\r", "");
  std::string out;
  for (std::size_t i = 0; i < literal.size(); ++i) {
    if (literal[i] != '\\') {
      out += literal[i];
      continue;
    }
    if (++i >= literal.size()) return std::nullopt;
    const char c = literal[i];
    int digits = 0, base = 16;
    switch (c) {
      case 'a': out += '\a'; continue;
      case 'b': out += '\b'; continue;
      case 'f': out += '\f'; continue;
      case 'n': out += '\n'; continue;
      case 'r': out += '\r'; continue;
      case 't': out += '\t'; continue;
      case 'v': out += '\v'; continue;
      case '\\': out += '\\'; continue;
      case '\'': case '"':
        if (c != quote) return std::nullopt;
        out += c;
        continue;
      case 'x': digits = 2; break;
      case 'u': digits = 4; break;
      case 'U': digits = 8; break;
      default:
        if (c < '0' || c > '7') return std::nullopt;
        digits = 3;
        base = 8;
        --i;
    }
    if (i + static_cast<std::size_t>(digits) >= literal.size()) return std::nullopt;
    std::uint32_t value = 0;
    for (int k = 0; k < digits; ++k) {
      const char d = literal[++i];
      const int n = d >= '0' && d <= '9' ? d - '0' : (d | 32) >= 'a' && (d | 32) <= 'f' ? (d | 32) - 'a' + 10 : 99;
      if (n >= base) return std::nullopt;
      value = value * static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(n);
    }
    if (c == 'u' || c == 'U') append_utf8(out, value);
    else out += static_cast<char>(value);
  }
  return out;
}

std::optional<json::Value> number(std::string_view text) {
  const std::string digits = replace_all(std::string(text), "_", "");
  const char* begin = digits.c_str();
  char* end = nullptr;
  const bool negative = *begin == '-';
  const char* body = begin + (*begin == '-' || *begin == '+');
  int base = 10;
  if (body[0] == '0' && body[1]) {
    const char kind = static_cast<char>(body[1] | 32);
    if (kind == 'x') base = 16, body += 2;
    else if (kind == 'b') base = 2, body += 2;
    else if (kind == 'o') base = 8, body += 2;
    else if (body[1] >= '0' && body[1] <= '7') base = 8, body += 1;
  }
  errno = 0;
  const long long whole = std::strtoll(body, &end, base);
  if (end != body && *end == 0 && errno == 0) return json::Value(std::int64_t{negative ? -whole : whole});
  const double real = std::strtod(begin, &end);
  if (end == begin || *end != 0 || digits.find_first_of("0123456789") == std::string::npos) return std::nullopt;
  // An ideal constant such as 1e6 stays a float, as Go prints it.
  return json::Value(real);
}

class Parser {
 public:
  explicit Parser(std::string_view text, Template::Tree& tree) : items_(lex(text)), tree_(tree) {}

  Result<> run() {
    auto root = make(Kind::list, 0);
    for (;;) {
      if (peek_non_space().token == Token::end) break;
      if (peek().token == Token::left) {
        const std::size_t start = at_;
        next();
        if (next_non_space().token == Token::keyword && items_[at_ - 1].text == "define") {
          TRY(definition());
          continue;
        }
        at_ = start;
      }
      auto node = TRY(text_or_action());
      if (end_or_else_) return error(format("unexpected {{{{{}}}}}", ended_by_));
      if (node) root->children.push_back(std::move(node));
    }
    tree_.root = std::move(root);
    return {};
  }

 private:
  // Token access. The last item repeats for ever.
  const Item& peek() const { return items_[std::min(at_, items_.size() - 1)]; }
  const Item& next() {
    const Item& item = peek();
    if (at_ < items_.size()) ++at_;
    line_ = item.line;
    return item;
  }
  const Item& peek_non_space() {
    while (peek().token == Token::space) next();
    return peek();
  }
  const Item& next_non_space() {
    peek_non_space();
    return next();
  }
  std::unexpected<Error> error(const std::string& message) const {
    return fail(Errc::invalid_argument, format("template: :{}: {}", line_, message));
  }
  std::unexpected<Error> unexpected_item(const Item& item, std::string_view context) const {
    if (item.token != Token::error) return error(format("unexpected {} in {}", item.shown(), context));
    std::string extra;
    if (action_line_ != 0 && action_line_ != item.line)
      extra = format("{} started at :{}", item.text.ends_with(" action") ? "" : " in action", action_line_);
    return error(item.text + extra);
  }
  Result<Item> expect(Token token, std::string_view context) {
    const Item item = next_non_space();
    if (item.token != token) return unexpected_item(item, context);
    return item;
  }

  Result<> definition() {
    const Item name = next_non_space();
    if (name.token != Token::string && name.token != Token::raw_string) return unexpected_item(name, "define clause");
    auto plain = unquote(name.text);
    if (!plain) return error("invalid syntax");
    TRY(expect(Token::right, "define clause"));
    const auto outer = std::exchange(variables_, {"$"});
    auto body = TRY(item_list());
    if (ended_by_ != "end") return error(format("unexpected {{{{{}}}}} in define clause", ended_by_));
    variables_ = outer;
    tree_.named[*plain] = std::move(body);
    return {};
  }

  /// Nodes up to {{end}} or {{else}}, which is remembered in ended_by_.
  Result<NodePtr> item_list() {
    if (++depth_ > kMaxDepth) return error("exceeded max expression depth");
    auto list = make(Kind::list, peek_non_space().position);
    while (peek_non_space().token != Token::end) {
      auto node = TRY(text_or_action());
      if (end_or_else_) {
        end_or_else_ = false;
        --depth_;
        return list;
      }
      if (node) list->children.push_back(std::move(node));
    }
    next();
    return error("unexpected EOF");
  }

  Result<NodePtr> text_or_action() {
    const Item item = next_non_space();
    if (item.token == Token::text) return make(Kind::text, item.position, item.text);
    if (item.token == Token::left) {
      action_line_ = item.line;
      auto node = TRY(action());
      action_line_ = 0;
      return node;
    }
    return unexpected_item(item, "input");
  }

  Result<NodePtr> action() {
    const Item item = next_non_space();
    if (item.token == Token::keyword) {
      const std::string& word = item.text;
      if (word == "if") return control(Kind::if_, item, "if");
      if (word == "range") return control(Kind::range, item, "range");
      if (word == "with") return control(Kind::with, item, "with");
      if (word == "template") return template_clause(item);
      if (word == "block") return block(item);
      if (word == "break" || word == "continue") {
        const Item after = next_non_space();
        if (after.token != Token::right) return unexpected_item(after, format("{{{{{}}}}}", word));
        if (range_depth_ == 0) return error(format("{{{{{}}}}} outside {{{{range}}}}", word));
        return make(word == "break" ? Kind::break_ : Kind::continue_, item.position);
      }
      if (word == "end") {
        TRY(expect(Token::right, "end"));
        end_or_else_ = true;
        ended_by_ = "end";
        return NodePtr{};
      }
      if (word == "else") {
        end_or_else_ = true;
        ended_by_ = "else";
        else_with_ = peek_non_space().token == Token::keyword && (peek().text == "if" || peek().text == "with") ? peek().text : "";
        if (else_with_.empty()) TRY(expect(Token::right, "else"));
        return NodePtr{};
      }
    }
    --at_;
    auto node = make(Kind::action, item.position);
    node->pipe = TRY(pipeline("command", Token::right));
    return node;
  }

  Result<NodePtr> control(Kind kind, const Item& item, const std::string& context) {
    const std::size_t known = variables_.size();
    auto node = make(kind, item.position);
    node->pipe = TRY(pipeline(context, Token::right));
    if (kind == Kind::range) ++range_depth_;
    node->body = TRY(item_list());
    if (kind == Kind::range) --range_depth_;
    if (ended_by_ == "else") {
      if (!else_with_.empty() && else_with_ == context) {
        const Item word = next_non_space();
        auto inner = TRY(control(kind, word, context));
        node->otherwise = make(Kind::list, word.position);
        node->otherwise->children.push_back(std::move(inner));
      } else if (!else_with_.empty()) {
        return unexpected_item(next_non_space(), "else");
      } else {
        node->otherwise = TRY(item_list());
        if (ended_by_ != "end") return error("expected end; found {{else}}");
      }
    }
    variables_.resize(known);
    ended_by_ = "end";
    return node;
  }

  Result<NodePtr> template_clause(const Item& item) {
    const Item name = next_non_space();
    if (name.token != Token::string && name.token != Token::raw_string) return unexpected_item(name, "template clause");
    auto node = make(Kind::template_, name.position, unquote(name.text).value_or(""));
    (void)item;
    if (next_non_space().token != Token::right) {
      --at_;
      node->pipe = TRY(pipeline("template clause", Token::right));
    }
    return node;
  }

  Result<NodePtr> block(const Item&) {
    const Item name = next_non_space();
    if (name.token != Token::string && name.token != Token::raw_string) return unexpected_item(name, "block clause");
    auto node = make(Kind::template_, name.position, unquote(name.text).value_or(""));
    node->pipe = TRY(pipeline("block clause", Token::right));
    const auto outer = std::exchange(variables_, {"$"});
    auto body = TRY(item_list());
    if (ended_by_ != "end") return error(format("unexpected {{{{{}}}}} in block clause", ended_by_));
    variables_ = outer;
    tree_.named[node->text] = std::move(body);
    return node;
  }

  Result<> declarations(Node& pipe, std::string_view context) {
    while (peek_non_space().token == Token::variable) {
      const std::size_t start = at_;
      const Item variable = next();
      const Item& after = peek_non_space();
      if (after.token == Token::assign || after.token == Token::declare) {
        pipe.assign = next().token == Token::assign;
        pipe.declared.push_back(variable.text);
        variables_.push_back(variable.text);
        return {};
      }
      if (after.token == Token::comma && context == "range" && pipe.declared.size() < 2) {
        next();
        pipe.declared.push_back(variable.text);
        variables_.push_back(variable.text);
        const Item& second = peek_non_space();
        if (second.token != Token::variable) return error(format("range can only initialize variables"));
        continue;
      }
      if (after.token == Token::comma) return error(format("too many declarations in {}", context));
      at_ = start;
      return {};
    }
    return {};
  }

  Result<NodePtr> pipeline(const std::string& context, Token end) {
    if (++depth_ > kMaxDepth) return error("exceeded max expression depth");
    auto pipe = make(Kind::pipe, peek_non_space().position);
    TRY(declarations(*pipe, context));
    for (;;) {
      const Item item = next_non_space();
      if (item.token == end) {
        if (pipe->children.empty()) return error("missing value for " + context);
        for (std::size_t i = 1; i < pipe->children.size(); ++i) {
          const Kind first = pipe->children[i]->children[0]->kind;
          if (first == Kind::boolean || first == Kind::dot || first == Kind::nil || first == Kind::number || first == Kind::string)
            return error(format("non executable command in pipeline stage {}", i + 1));
        }
        --depth_;
        return pipe;
      }
      switch (item.token) {
        case Token::boolean: case Token::character: case Token::dot: case Token::field: case Token::identifier: case Token::number:
        case Token::nil: case Token::raw_string: case Token::string: case Token::variable: case Token::left_paren: {
          --at_;
          auto parsed = TRY(command());
          pipe->children.push_back(std::move(parsed));
          break;
        }
        default: return unexpected_item(item, context);
      }
    }
  }

  Result<NodePtr> command() {
    auto node = make(Kind::command, peek_non_space().position);
    for (;;) {
      peek_non_space();
      auto found = TRY(operand());
      if (found) node->children.push_back(std::move(found));
      const Item item = next();
      if (item.token == Token::space) continue;
      if (item.token == Token::right || item.token == Token::right_paren) --at_;
      else if (item.token != Token::pipe) return unexpected_item(item, "operand");
      break;
    }
    if (node->children.empty()) return error("empty command");
    return node;
  }

  Result<NodePtr> operand() {
    auto node = TRY(term());
    if (!node || peek().token != Token::field) return node;
    const std::size_t position = peek().position;
    std::vector<std::string> fields;
    while (peek().token == Token::field) fields.push_back(next().text.substr(1));
    switch (node->kind) {
      case Kind::field: case Kind::variable:
        node->position = position;
        node->names.insert(node->names.end(), fields.begin(), fields.end());
        return node;
      case Kind::boolean: case Kind::string: case Kind::number: case Kind::nil: case Kind::dot:
        return error(format("unexpected . after term {}", quoted(node->source())));
      default: break;
    }
    auto chain = make(Kind::chain, position);
    chain->names = std::move(fields);
    chain->children.push_back(std::move(node));
    return chain;
  }

  Result<NodePtr> term() {
    const Item item = next_non_space();
    switch (item.token) {
      case Token::identifier:
        if (!is_function(item.text)) return error(format("function {} not defined", quoted(item.text)));
        return make(Kind::identifier, item.position, item.text);
      case Token::dot: return make(Kind::dot, item.position);
      case Token::nil: return make(Kind::nil, item.position);
      case Token::variable: {
        if (std::find(variables_.begin(), variables_.end(), item.text) == variables_.end())
          return error(format("undefined variable {}", quoted(item.text)));
        auto node = make(Kind::variable, item.position);
        node->names.push_back(item.text);
        return node;
      }
      case Token::field: {
        auto node = make(Kind::field, item.position);
        node->names.push_back(item.text.substr(1));
        return node;
      }
      case Token::boolean: {
        auto node = make(Kind::boolean, item.position, item.text);
        node->value = item.text == "true";
        return node;
      }
      case Token::character: case Token::number: {
        auto node = make(Kind::number, item.position, item.text);
        if (item.token == Token::character) {
          auto text = unquote(item.text);
          if (!text || text->empty()) return error(format("malformed character constant: {}", item.text));
          std::uint32_t rune = static_cast<unsigned char>((*text)[0]);
          if (rune >= 0xc0) {
            rune &= rune >= 0xf0 ? 7 : rune >= 0xe0 ? 15 : 31;
            for (std::size_t i = 1; i < text->size(); ++i) rune = rune << 6 | (static_cast<unsigned char>((*text)[i]) & 63);
          }
          node->value = static_cast<std::int64_t>(rune);
        } else {
          auto value = number(item.text);
          if (!value) return error(format("bad number syntax: {}", quoted(item.text)));
          node->value = *value;
        }
        return node;
      }
      case Token::left_paren: return pipeline("parenthesized pipeline", Token::right_paren);
      case Token::string: case Token::raw_string: {
        auto text = unquote(item.text);
        if (!text) return error("invalid syntax");
        auto node = make(Kind::string, item.position, item.text);
        node->value = std::move(*text);
        return node;
      }
      default: break;
    }
    --at_;
    return NodePtr{};
  }

  std::vector<Item> items_;
  Template::Tree& tree_;
  std::size_t at_ = 0;
  int line_ = 1, action_line_ = 0, depth_ = 0, range_depth_ = 0;
  bool end_or_else_ = false;
  std::string ended_by_, else_with_;
  std::vector<std::string> variables_ = {"$"};
};

}  // namespace

std::string Node::source() const {
  std::string out;
  switch (kind) {
    case Kind::dot: return ".";
    case Kind::nil: return "nil";
    case Kind::field:
      for (const auto& name : names) out += "." + name;
      return out;
    case Kind::variable:
      for (const auto& name : names) out += (out.empty() ? "" : ".") + name;
      return out;
    case Kind::chain:
      out = children[0]->kind == Kind::pipe ? "(" + children[0]->source() + ")" : children[0]->source();
      for (const auto& name : names) out += "." + name;
      return out;
    case Kind::command:
      for (const auto& child : children)
        out += (out.empty() ? "" : " ") + (child->kind == Kind::pipe ? "(" + child->source() + ")" : child->source());
      return out;
    case Kind::pipe:
      for (std::size_t i = 0; i < declared.size(); ++i) out += (i ? ", " : "") + declared[i];
      if (!declared.empty()) out += assign ? " = " : " := ";
      for (std::size_t i = 0; i < children.size(); ++i) out += (i ? " | " : "") + children[i]->source();
      return out;
    case Kind::template_:
      return "{{template " + quoted(text) + (pipe ? " " + pipe->source() : "") + "}}";
    default: return text;
  }
}

Result<std::shared_ptr<Template::Tree>> parse_template(std::string_view text) {
  if (text.size() > kMaxTemplateBytes) return fail(Errc::resource_exhausted, "the template is longer than 1 MiB");
  auto tree = std::make_shared<Template::Tree>();
  tree->text = text;
  TRY(Parser(tree->text, *tree).run());
  return tree;
}

}  // namespace mica::cli::go
