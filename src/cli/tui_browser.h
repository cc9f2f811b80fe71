/// The terminal browser of an analysed image: what it shows and what keys do to it. Knows nothing of a terminal: keys go in, frames come out.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analyze/analysis.h"
#include "cli/tui_frame.h"
#include "cli/tui_keys.h"
#include "cli/tui_tree.h"

namespace mica::cli {

struct ScreenSize {
  int width = 80, height = 24;
};

/// A file that the user wants to have: of the layer that stores it.
struct WantedFile {
  std::size_t layer = 0;
  std::string path;                ///< of the entry that stores the body: a hard link's is another than its own
  std::string name;                ///< last component of the path that was chosen
  std::uint32_t mode = 0;
};

class Browser {
 public:
  /// Both must outlive the browser, and be of one image.
  Browser(const analyze::Image& image, const analyze::Analysis& analysis, Glyphs glyphs);
  void press(const Key& key);
  /// Exactly size.height lines of size.width columns. Remembers the size: pages are as long as what was drawn.
  std::vector<Line> frame(ScreenSize size);
  bool is_done() const { return done_; }
  /// Once for each Ctrl+E on a file.
  std::optional<WantedFile> take_wanted() { return std::exchange(wanted_, std::nullopt); }
  void say(std::string message) { message_ = std::move(message); }   ///< in the last line, until a key is pressed

 private:
  enum class Pane { layers, tree };
  bool press_anywhere(const Key& key);
  void press_in_filter(const Key& key);
  void press_in_layers(const Key& key);
  void press_in_tree(const Key& key);
  void move_layer(long by);
  void move_row(long by);
  void go_to(LayerTree::Index node);
  bool begins_change(std::size_t row) const;
  void go_to_change(long direction);
  void go_out();
  void go_in();
  void close(bool all);
  void want_file();
  void compare();
  void refresh();                        // the rows, with the cursor where it was

  std::vector<Line> left(int width, int height);
  std::vector<Line> layers_pane(int width, int height);
  std::vector<Line> tree_pane(int width, int height);
  Line title(std::string_view text, bool focused, int width) const;
  Line layer_line(std::size_t layer, int width) const;
  Line tree_line(std::size_t row, int width) const;
  std::string tree_title() const;
  Line filter_line(int width) const;
  Line key_line(int width) const;

  const analyze::Image& image_;
  const analyze::Analysis& analysis_;
  Glyphs glyphs_;
  LayerTree tree_;
  LayerTree::View view_;
  std::vector<LayerTree::Index> rows_;
  Pane focus_ = Pane::layers;
  std::size_t layer_ = 0, row_ = 0;
  std::size_t first_layer_ = 0, first_row_ = 0;   // at the top of their panes
  std::size_t layers_height_ = 1, tree_height_ = 1;
  bool aggregated_ = false, attributes_ = true, filtering_ = false, help_ = false, done_ = false, all_closed_ = false;
  std::string filter_, message_;
  std::optional<WantedFile> wanted_;
};

}  // namespace mica::cli
