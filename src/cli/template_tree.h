/// The parsed form of a template, as Go's text/template/parse has it; positions are byte offsets into the text.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/template.h"

namespace mica::cli::go {

struct Node;
using NodePtr = std::unique_ptr<Node>;
using Nodes = std::vector<NodePtr>;

enum class Kind {
  text, action, if_, range, with, template_, break_, continue_, list,        // control
  pipe, command, dot, nil, field, variable, identifier, boolean, number, string, chain,  // expressions
};

struct Node {
  Kind kind;
  std::size_t position = 0;
  std::string text;                  ///< text, identifier, template name, literal as written
  json::Value value;                 ///< of literals
  std::vector<std::string> names;    ///< field: names; variable: "$x" then fields; chain: fields
  std::vector<std::string> declared; ///< pipe: variables
  bool assign = false;               ///< pipe: `=` instead of `:=`
  Nodes children;                    ///< list: nodes; pipe: commands; command: operands; chain: [node]
  NodePtr pipe, body, otherwise;     ///< of control nodes
  std::string source() const;        ///< Go's String(), for messages
};

/// Errors: Go's message without the "template: :N: " prefix is wrapped with it.
Result<std::shared_ptr<Template::Tree>> parse_template(std::string_view text);

bool is_function(std::string_view name);

}  // namespace mica::cli::go

struct mica::cli::Template::Tree {
  std::string text;
  go::NodePtr root;
  std::map<std::string, go::NodePtr> named;
};
