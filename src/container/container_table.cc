#include "container/container_table.h"

#include <algorithm>
#include <iterator>

#include "base/format.h"
#include "base/text.h"

namespace mica::container {

const std::string_view kContainerSchemaSql =
    "CREATE TABLE container (\n"
    "  id TEXT PRIMARY KEY,\n"
    "  name TEXT NOT NULL UNIQUE,\n"
    "  image_id TEXT NOT NULL,\n"
    "  image TEXT NOT NULL,\n"
    "  command TEXT NOT NULL,\n"
    "  layers TEXT NOT NULL,\n"
    "  created INTEGER NOT NULL,\n"
    "  labels TEXT NOT NULL,\n"
    "  definition TEXT NOT NULL,\n"
    "  status TEXT NOT NULL,\n"
    "  pid INTEGER NOT NULL,\n"
    "  pid_start INTEGER NOT NULL,\n"
    "  exit_code INTEGER NOT NULL,\n"
    "  error TEXT NOT NULL,\n"
    "  oom_killed INTEGER NOT NULL,\n"
    "  stopped_by_user INTEGER NOT NULL,\n"
    "  started INTEGER,\n"
    "  finished INTEGER,\n"
    "  restart_count INTEGER NOT NULL,\n"
    "  health TEXT NOT NULL,\n"
    "  network TEXT NOT NULL,\n"
    "  ports TEXT NOT NULL,\n"
    "  boot TEXT NOT NULL\n"
    ") STRICT, WITHOUT ROWID;\n";

namespace {

constexpr std::string_view kWords[] = {"created", "running", "paused", "restarting", "removing", "exited", "dead"};
constexpr std::size_t kIdDigits = 64, kShortDigits = 12;
constexpr std::string_view kColumns =
    "id, name, image_id, image, command, layers, created, labels, status, pid, pid_start, exit_code, error, oom_killed, stopped_by_user, started, finished, "
    "restart_count, health, network, ports, boot";
constexpr int kDefinitionColumn = 22;   // after those

bool is_hex(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string labels_text(const Pairs& labels) {
  json::Object object;
  for (const auto& [key, value] : labels) object.emplace_back(key, value);
  return json::write(json::Value(std::move(object)));
}

Result<Pairs> labels_from(const std::string& text) {
  Pairs labels;
  if (text == "{}") return labels;
  const auto value = TRY(json::parse(text));
  if (!value.is_object()) return fail(Errc::corrupt, "a container's labels in the database are no object");
  for (const auto& [key, label] : value.as_object()) labels.emplace_back(key, label.is_string() ? label.as_string() : "");
  return labels;
}

std::optional<Timestamp> time_at(const db::Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return Timestamp{row.integer(column)};
}

Result<Row> read_row(const db::Statement& from) {
  Row row{.id = from.text(0), .name = from.text(1), .image_id = from.text(2), .image = from.text(3), .command = from.text(4)};
  const std::string layers = from.text(5);
  for (const std::string_view layer : split_blanks(layers)) row.layers.emplace_back(layer);
  row.created = Timestamp{from.integer(6)};
  row.labels = TRY(labels_from(from.text(7)));
  const auto status = status_from(from.text(8));
  if (!status) return failf(Errc::corrupt, "container {} has the unknown status {} in the database", row.id, quoted(from.text(8)));
  row.state = State{.status = *status,
                    .pid = static_cast<int>(from.integer(9)),
                    .pid_start = from.integer(10),
                    .exit_code = static_cast<int>(from.integer(11)),
                    .error = from.text(12),
                    .oom_killed = from.integer(13) != 0,
                    .stopped_by_user = from.integer(14) != 0,
                    .started = time_at(from, 15),
                    .finished = time_at(from, 16),
                    .restart_count = static_cast<int>(from.integer(17)),
                    .health = from.text(18),
                    .network = from.text(19),
                    .ports = from.text(20),
                    .boot = from.text(21)};
  return row;
}

std::optional<std::int64_t> nanoseconds(const std::optional<Timestamp>& time) {
  if (!time) return std::nullopt;
  return time->ns;
}

void bind_state(db::Statement& statement, const State& state) {
  statement.bind(word(state.status)).bind(state.pid).bind(state.pid_start).bind(state.exit_code).bind(state.error).bind(int{state.oom_killed});
  statement.bind(int{state.stopped_by_user}).bind(nanoseconds(state.started)).bind(nanoseconds(state.finished)).bind(state.restart_count);
  statement.bind(state.health).bind(state.network).bind(state.ports).bind(state.boot);
}

/// The unique constraint of the name says only that there is a conflict; this says with whom.
Error name_taken(Guarded<db::Database>& guarded, const std::string& name) {
  std::string id;
  auto database = guarded.lock();
  if (auto row = database->prepare("SELECT id FROM container WHERE name = ?")) {
    row->bind(name);
    if (const auto found = row->step(); found && *found) id = row->text(0);
  }
  return Error(Errc::conflict, format("Conflict. The container name \"/{}\" is already in use by container \"{}\". You have to remove (or rename) that container to "
                                      "be able to reuse that name.", name, id));
}

}  // namespace

std::string_view word(Status status) { return kWords[static_cast<int>(status)]; }

std::optional<Status> status_from(std::string_view text) {
  for (std::size_t i = 0; i < std::size(kWords); ++i)
    if (kWords[i] == text) return static_cast<Status>(i);
  return std::nullopt;
}

Result<> ContainerTable::insert(const Row& row) {
  Result<> done;
  {
    auto database = database_.lock();
    auto statement = TRY(database->prepare("INSERT INTO container(id, name, image_id, image, command, layers, created, labels, definition, status, pid, pid_start, exit_code, "
                                           "error, oom_killed, stopped_by_user, started, finished, restart_count, health, network, ports, boot) "
                                           "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
    statement.bind(row.id).bind(row.name).bind(row.image_id).bind(row.image).bind(row.command).bind(join(row.layers, " "));
    statement.bind(row.created.ns).bind(labels_text(row.labels)).bind(row.definition);
    bind_state(statement, row.state);
    done = statement.run();
  }
  if (!done && done.error().code() == Errc::conflict) return fail(name_taken(database_, row.name));
  return done;
}

Result<std::optional<Row>> ContainerTable::find(const std::string& id) {
  auto database = database_.lock();
  auto rows = TRY(database->prepare(format("SELECT {}, definition FROM container WHERE id = ?", kColumns)));
  rows.bind(id);
  if (!TRY(rows.step())) return std::nullopt;
  Row row = TRY(read_row(rows));
  row.definition = rows.text(kDefinitionColumn);
  return row;
}

Result<Row> ContainerTable::resolve(std::string_view text) {
  const std::string_view name = text.starts_with("/") ? text.substr(1) : text;
  std::vector<std::string> ids;
  std::vector<std::string> names;
  {
    auto database = database_.lock();
    // A full id comes before a name, and a name before the beginning of an id.
    auto rows = TRY(database->prepare("SELECT id FROM container WHERE id = ?1 OR name = ?1 ORDER BY id != ?1 LIMIT 1"));
    rows.bind(name);
    if (TRY(rows.step())) ids.push_back(rows.text(0));
    if (ids.empty() && is_hex(name) && name.size() < kIdDigits) {
      auto prefixed = TRY(database->prepare("SELECT id FROM container WHERE id >= ? AND id < ? ORDER BY id LIMIT 2"));
      prefixed.bind(name).bind(std::string(name) + "g");
      while (TRY(prefixed.step())) ids.push_back(prefixed.text(0));
    }
    if (ids.empty()) {
      auto all = TRY(database->prepare("SELECT name FROM container"));
      while (TRY(all.step())) names.push_back(all.text(0));
    }
  }
  if (ids.size() > 1) {
    const std::size_t shown = std::max(kShortDigits, name.size() + 1);
    return fail(Error(Errc::conflict, format("multiple IDs found with provided prefix: {}", name))
                    .with_hint(format("{} and {} begin so: give more digits", ids[0].substr(0, shown), ids[1].substr(0, shown))));
  }
  if (!ids.empty()) {
    auto row = TRY(find(ids[0]));
    if (row) return std::move(*row);
  }
  Error error(Errc::not_found, format("No such container: {}", text));
  const std::vector<std::string_view> known(names.begin(), names.end());
  if (const auto near = closest(name, known)) return fail(std::move(error).with_hint(format("did you mean {}?", *near)));
  return fail(std::move(error));
}

Result<std::vector<Row>> ContainerTable::list(bool with_definitions) {
  auto database = database_.lock();
  auto rows = TRY(database->prepare(format("SELECT {}{} FROM container ORDER BY created DESC, id", kColumns, with_definitions ? ", definition" : "")));
  std::vector<Row> list;
  while (TRY(rows.step())) {
    Row row = TRY(read_row(rows));
    if (with_definitions) row.definition = rows.text(kDefinitionColumn);
    list.push_back(std::move(row));
  }
  return list;
}

Result<> ContainerTable::set_state(const std::string& id, const State& state) {
  auto database = database_.lock();
  auto statement = TRY(database->prepare("UPDATE container SET status=?, pid=?, pid_start=?, exit_code=?, error=?, oom_killed=?, stopped_by_user=?, started=?, finished=?, "
                                         "restart_count=?, health=?, network=?, ports=?, boot=? WHERE id = ?"));
  bind_state(statement, state);
  statement.bind(id);
  return statement.run();
}

Result<> ContainerTable::set_stopped_by_user(const std::string& id, bool stopped) {
  auto database = database_.lock();
  auto statement = TRY(database->prepare("UPDATE container SET stopped_by_user = ? WHERE id = ?"));
  return statement.bind(int{stopped}).bind(id).run();
}

Result<> ContainerTable::set_definition(const std::string& id, const std::string& document) {
  auto database = database_.lock();
  auto statement = TRY(database->prepare("UPDATE container SET definition = ? WHERE id = ?"));
  return statement.bind(document).bind(id).run();
}

Result<> ContainerTable::rename(const std::string& id, const std::string& name) {
  Result<> done;
  {
    auto database = database_.lock();
    auto statement = TRY(database->prepare("UPDATE container SET name = ? WHERE id = ?"));
    done = statement.bind(name).bind(id).run();
  }
  if (!done && done.error().code() == Errc::conflict) return fail(name_taken(database_, name));
  return done;
}

Result<> ContainerTable::remove(const std::string& id) {
  auto database = database_.lock();
  auto statement = TRY(database->prepare("DELETE FROM container WHERE id = ?"));
  return statement.bind(id).run();
}

}  // namespace mica::container
