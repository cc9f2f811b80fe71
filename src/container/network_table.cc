#include "container/network_table.h"

#include <algorithm>

#include "base/format.h"
#include "base/sha256.h"
#include "base/text.h"
#include "json/json.h"

namespace mica::container {

const std::string_view kNetworkSchemaSql = R"(
CREATE TABLE network (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created INTEGER NOT NULL,
  document TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)";

namespace {

constexpr std::size_t kIdDigits = 64;
constexpr std::string_view kBridge = "bridge", kHost = "host", kNone = "none";
constexpr const char* kDefaultInterface = "mica0";

NetworkRow predefined(std::string_view name, std::string_view driver) {
  NetworkRow row{.id = sha256_hex(format("mica network {}", name)), .name = std::string(name), .driver = std::string(driver), .created = {}};
  if (name == kBridge) {
    row.interface = kDefaultInterface;
    row.options = {{"com.docker.network.bridge.default_bridge", "true"},
                   {"com.docker.network.bridge.enable_icc", "true"},
                   {"com.docker.network.bridge.enable_ip_masquerade", "true"},
                   {"com.docker.network.bridge.host_binding_ipv4", "0.0.0.0"},
                   {"com.docker.network.bridge.name", kDefaultInterface},
                   {"com.docker.network.driver.mtu", "1500"}};
  }
  return row;
}

std::vector<NetworkRow> all_predefined() { return {predefined(kBridge, "bridge"), predefined(kHost, "host"), predefined(kNone, "null")}; }

json::Value to_json(const Pairs& pairs) {
  json::Object out;
  for (const auto& [key, value] : pairs) out.emplace_back(key, value);
  return json::Value(std::move(out));
}

Pairs pairs_in(const json::Value& from, std::string_view key) {
  Pairs out;
  const auto* value = from.find(key);
  if (value && value->is_object())
    for (const auto& [name, text] : value->as_object()) out.emplace_back(name, text.is_string() ? text.as_string() : "");
  return out;
}

std::string document_of(const NetworkRow& row) {
  json::Array subnets;
  for (const auto& one : row.subnets)
    subnets.emplace_back(json::Object{{"subnet", one.subnet}, {"gateway", one.gateway}, {"range", one.ip_range}, {"auxiliary", to_json(one.auxiliary)}, {"chosen", one.chosen}});
  return json::write(json::Object{{"driver", row.driver}, {"internal", row.internal}, {"attachable", row.attachable}, {"ipv4", row.ipv4}, {"ipv6", row.ipv6}, {"subnets", std::move(subnets)},
                                  {"options", to_json(row.options)}, {"labels", to_json(row.labels)}, {"ipam_options", to_json(row.ipam_options)}, {"ipam_driver", row.ipam_driver},
                                  {"interface", row.interface}});
}

Result<NetworkRow> read_row(const db::Statement& from) {
  NetworkRow row{.id = from.text(0), .name = from.text(1), .created = {from.integer(2)}};
  const auto document = TRY_DOING(json::parse(from.text(3)), format("reading network {}", row.name));
  row.driver = document.string_or("driver");
  row.internal = document.bool_or("internal");
  row.attachable = document.bool_or("attachable");
  row.ipv4 = document.bool_or("ipv4", true);
  row.ipv6 = document.bool_or("ipv6");
  if (const auto* subnets = document.find("subnets"); subnets && subnets->is_array())
    for (const auto& one : subnets->as_array())
      row.subnets.push_back({one.string_or("subnet"), one.string_or("gateway"), one.string_or("range"), pairs_in(one, "auxiliary"), one.bool_or("chosen")});
  row.options = pairs_in(document, "options");
  row.labels = pairs_in(document, "labels");
  row.ipam_options = pairs_in(document, "ipam_options");
  row.ipam_driver = document.string_or("ipam_driver");
  row.interface = document.string_or("interface");
  return row;
}

constexpr const char* kSelect = "SELECT id, name, created, document FROM network";

}  // namespace

bool is_default_bridge(const NetworkRow& network) { return network.name == kBridge && network.interface == kDefaultInterface; }
bool is_predefined(const NetworkRow& network) { return network.name == kBridge || network.name == kHost || network.name == kNone; }

NetworkRow none_network() { return predefined(kNone, "null"); }

Result<> NetworkTable::insert(const NetworkRow& row) {
  const auto taken = [&] { return failf(Errc::conflict, "network with name {} already exists", row.name); };
  if (is_predefined(row)) return taken();
  auto database = database_.lock();
  auto statement = TRY(database->prepare("INSERT INTO network(id, name, created, document) VALUES(?,?,?,?)"));
  auto done = statement.bind(row.id).bind(row.name).bind(row.created.ns).bind(document_of(row)).run();
  if (!done && done.error().code() == Errc::conflict) return taken();
  return done;
}

Result<NetworkRow> NetworkTable::resolve(std::string_view text) {
  const auto rows = TRY(list());
  const NetworkRow* found = nullptr;
  for (const auto& row : rows)
    if (row.id == text || (row.name == text && !found)) found = &row;
  if (found) return *found;
  std::size_t matches = 0;
  for (const auto& row : rows) {
    if (text.empty() || text.size() >= kIdDigits || !row.id.starts_with(text)) continue;
    found = &row;
    ++matches;
  }
  if (matches == 1) return *found;
  if (matches > 1) return failf(Errc::conflict, "network {} is ambiguous ({} matches found based on ID prefix)", text, matches);
  Error error(Errc::not_found, format("network {} not found", text));
  std::vector<std::string_view> names;
  for (const auto& row : rows) names.push_back(row.name);
  if (const auto near = closest(text, names)) return fail(std::move(error).with_hint(format("did you mean {}?", *near)));
  return fail(std::move(error));
}

Result<std::vector<NetworkRow>> NetworkTable::list() {
  auto out = all_predefined();
  {
    auto database = database_.lock();
    auto rows = TRY(database->prepare(kSelect));
    while (TRY(rows.step())) {
      auto row = TRY(read_row(rows));
      out.push_back(std::move(row));
    }
  }
  std::ranges::sort(out, {}, &NetworkRow::name);
  return out;
}

Result<> NetworkTable::remove(const std::string& id) {
  auto database = database_.lock();
  auto statement = TRY(database->prepare("DELETE FROM network WHERE id = ?"));
  return statement.bind(id).run();
}

}  // namespace mica::container
