#include "cli/tui_browser.h"

#include <doctest/doctest.h>

#include "base/format.h"
#include "base/text.h"
#include "cli/progress_text.h"

using namespace mica;
using namespace mica::cli;
using analyze::Entry;
using analyze::Kind;

namespace {

struct Fixture {
  Fixture() {
    const auto add = [&](std::string what, std::vector<Entry> entries, std::vector<std::string> whiteouts = {}) {
      analyze::Layer layer{.diff_id = "sha256:" + std::string(64, static_cast<char>('a' + image.layers.size())), .created_by = what, .instruction = what, .entries = std::move(entries), .whiteouts = std::move(whiteouts)};
      analyze::normalise(layer);
      image.layers.push_back(std::move(layer));
    };
    image.name = "app:1";
    add("ADD rootfs.tar /", {{.path = "bin", .kind = Kind::directory, .mode = 0755}, {.path = "bin/sh", .mode = 04755, .size = 1000}, {.path = "etc", .kind = Kind::directory, .mode = 01777}, {.path = "etc/conf", .mode = 0644, .uid = 3, .size = 20}});
    add("RUN make", {{.path = "build", .kind = Kind::directory, .mode = 0755}, {.path = "build/big", .mode = 0644, .size = 5000}, {.path = "etc/conf", .mode = 0644, .size = 25}});
    add("RUN rm -r build", {{.path = "link", .kind = Kind::symlink, .mode = 0777, .link = "bin/sh"}}, {"build"});
    analysis = analyze::analyze(image);
    browser.emplace(image, analysis, Glyphs{});
  }
  void press(const Key& key) { browser->press(key); }
  void type(std::string_view text) {
    for (const char c : text) press({KeyKind::text, std::string(1, c)});
  }
  void press(KeyKind kind, int times = 1) {
    for (int i = 0; i < times; ++i) browser->press({kind, ""});
  }
  std::string screen(int width = 100, int height = 24) {
    std::string text;
    for (const Line& line : browser->frame({width, height})) text += std::string(trim_right(plain_text(line))) + "\n";
    return text;
  }
  bool shows(std::string_view text, int width = 100) { return screen(width).find(text) != std::string::npos; }
  /// Text of the lines that the cursor is on.
  std::string cursor() {
    std::string text;
    for (const Line& line : browser->frame({100, 24}))
      for (const Span& span : line)
        if (span.style.reverse && span.text.find_first_not_of(' ') != std::string::npos) text += span.text;
    return text;
  }
  analyze::Image image;
  analyze::Analysis analysis;
  std::optional<Browser> browser;
};

}  // namespace

TEST_CASE("the first frame has layers, details and the tree of the first layer") {
  Fixture f;
  CHECK(f.screen(100, 22) ==
        "── Layers (3) ───────────────────────────────│── Files of layer 0 ──────────────────────────────────\n"
        "   #      Size    Waste  Instruction         │Mode             Owner     Size  Name\n"
        ">  0    1.02kB      20B  ADD rootfs.tar /    │drwxr-xr-x         0:0      1kB + ├── bin/\n"
        "   1    5.03kB      5kB  RUN make            │-rwsr-xr-x         0:0      1kB + │   └── sh\n"
        "   2        0B           RUN rm -r build     │drwxrwxrwt         0:0      20B + └── etc/\n"
        "── Details ──────────────────────────────────│-rw-r--r--         3:0      20B +     └── conf\n"
        "Layer 0                                      │\n"
        "ADD rootfs.tar /                             │\n"
        "DiffID    sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaa…│\n"
        "Size      1.02kB in 2 files                  │\n"
        "Files     2 added, 0 changed, 0 removed      │\n"
        "Waste     20B hidden later; hides 0B         │\n"
        "                                             │\n"
        "Image  app:1                                 │\n"
        "Size      6.04kB in 3 layers                 │\n"
        "Waste     5.02kB, 5.02kB reclaimable         │\n"
        "Efficient 17.0 % (dive: 100 %, 0B wasted)    │\n"
        "                                             │\n"
        "Largest waste  layer → hidden by             │\n"
        "     5kB   1 → 2   /build/big                │\n"
        "     20B   0 → 1   /etc/conf                 │\n"
        "q Quit  Tab Switch  ^F Filter  ^L Layer changes  ^A Aggregated changes  ? Keys\n");
}

TEST_CASE("every frame has the size of the screen") {
  Fixture f;
  for (const int width : {1, 10, 23, 24, 40, 75, 76, 100, 200})
    for (const int height : {1, 5, 6, 10, 50})
      for (const bool help : {false, true}) {
        if (help) f.type("?");
        const auto lines = f.browser->frame({width, height});
        CHECK(lines.size() == static_cast<std::size_t>(height));
        for (const Line& line : lines) CHECK(width_of(line) == width);
        if (help) f.type("x");
      }
}

TEST_CASE("moving in the list of layers changes the tree") {
  Fixture f;
  f.press(KeyKind::down);
  CHECK(f.shows("Changes of layer 1"));
  CHECK(f.shows("+ ├── build/"));
  CHECK(f.shows("~ └── etc/"));
  f.type("j");
  CHECK(f.shows("- ├── build/"));
  CHECK(f.shows("+ └── link → bin/sh"));
  f.press(KeyKind::down, 5);
  CHECK(f.shows("Changes of layer 2"));
  f.press(KeyKind::home);
  CHECK(f.shows("Files of layer 0"));
  f.type("Gk");
  CHECK(f.shows("Changes of layer 1"));
}

TEST_CASE("the cursor goes to the first change of a layer, and by n and N to the others") {
  Fixture f;
  f.press(KeyKind::down);
  f.press(KeyKind::tab);
  CHECK(f.cursor().find("build/") != std::string::npos);
  f.type("n");
  CHECK(f.cursor().find("conf") != std::string::npos);
  f.type("n");
  CHECK(f.cursor().find("conf") != std::string::npos);
  f.type("N");
  CHECK(f.cursor().find("build/") != std::string::npos);
  f.type("N");
  CHECK(f.cursor().find("build/") != std::string::npos);
}

TEST_CASE("aggregated changes are those of all layers after the first") {
  Fixture f;
  f.type("G");
  f.press(control('a'));
  CHECK(f.shows("Changes of layers 1 to 2"));
  CHECK_FALSE(f.shows("── build/"));
  CHECK(f.shows("~ ├── etc/"));
  f.press(control('l'));
  CHECK(f.shows("Changes of layer 2"));
  CHECK(f.shows("- ├── build/"));
}

TEST_CASE("in the tree directories close and open, and the cursor goes along") {
  Fixture f;
  f.press(KeyKind::tab);
  CHECK(f.cursor().find("bin/") != std::string::npos);
  f.type(" ");
  CHECK(f.shows("├─⊕ bin/"));
  CHECK_FALSE(f.shows("sh\n"));
  f.press(KeyKind::right);
  CHECK(f.shows("├── bin/"));
  CHECK(f.cursor().find("sh") != std::string::npos);
  f.press(KeyKind::left);
  CHECK(f.cursor().find("bin/") != std::string::npos);
  f.press(KeyKind::end);
  CHECK(f.cursor().find("conf") != std::string::npos);
  f.press(control(' '));
  CHECK(f.shows("└─⊕ etc/"));
  CHECK(f.cursor().find("etc/") != std::string::npos);
  f.press(control(' '));
  CHECK(f.shows("conf"));
}

TEST_CASE("kinds of changes, attributes and the order are switched in the tree") {
  Fixture f;
  f.press(KeyKind::down);
  f.press(KeyKind::tab);
  const struct {
    Key key;
    std::string_view title, gone;
  } cases[] = {{control('a'), "without added", "── build/"}, {control('u'), "without unmodified", "── bin/"}, {{KeyKind::enter, ""}, "without modified", "── conf"}, {control('r'), "without removed", "nothing has this"}};
  for (const auto& one : cases) {
    f.press(one.key);
    CHECK(f.shows(one.title));
    CHECK_FALSE(f.shows(one.gone));
    f.press(one.key);
    CHECK_FALSE(f.shows("without"));
  }
  CHECK(f.shows("drwxrwxrwt"));
  f.press(control('b'));
  CHECK_FALSE(f.shows("drwxrwxrwt"));
  f.press(control('o'));
  CHECK(f.shows("by size"));
}

TEST_CASE("a filter is typed, kept by Enter, dropped by Escape") {
  Fixture f;
  f.press(control('f'));
  CHECK(f.shows("Filter:"));
  f.type("cxonq");
  CHECK(f.shows("nothing matches"));
  f.press(KeyKind::erase, 4);
  f.type("onf");
  CHECK(f.shows("Filter: conf"));
  CHECK(f.shows("└── conf"));
  CHECK_FALSE(f.shows("bin/"));
  f.press(KeyKind::enter);
  f.press(KeyKind::down);
  CHECK(f.cursor().find("conf") != std::string::npos);
  CHECK(f.shows("Filter: conf"));
  f.press(KeyKind::escape);
  CHECK_FALSE(f.shows("Filter:"));
  CHECK(f.shows("bin/"));
  CHECK(f.cursor().find("conf") != std::string::npos);
}

TEST_CASE("details tell of the layer and of the image") {
  Fixture f;
  f.press(KeyKind::down);
  for (const std::string_view text : {"DiffID    sha256:bbb", "5.03kB in 2 files", "1 added, 1 changed, 0 removed", "5kB hidden later; hides 20B", "Image  app:1", "6.04kB in 3 layers", "Efficient"})
    CHECK_MESSAGE(f.screen(200, 40).find(text) != std::string::npos, text);
  CHECK(f.screen(200, 40).find("5kB   1 → 2   /build/big") != std::string::npos);
}

TEST_CASE("a narrow screen has one pane") {
  Fixture f;
  CHECK(f.shows("Layers (3)", 60));
  CHECK_FALSE(f.shows("Files of layer 0", 60));
  f.press(KeyKind::tab);
  CHECK_FALSE(f.shows("Layers (3)", 60));
  CHECK(f.shows("Files of layer 0", 60));
}

TEST_CASE("files can be asked for, other things cannot") {
  Fixture f;
  f.press(KeyKind::tab);
  f.press(control('e'));
  CHECK_FALSE(f.browser->take_wanted());
  CHECK(f.shows("only files"));
  f.press(KeyKind::down);
  f.press(control('e'));
  const auto wanted = f.browser->take_wanted();
  REQUIRE(wanted);
  CHECK(wanted->path == "bin/sh");
  CHECK(wanted->name == "sh");
  CHECK(wanted->layer == 0);
  CHECK_FALSE(f.browser->take_wanted());
}

TEST_CASE("q and Ctrl+C end it, also in the help and while a filter is typed") {
  for (const int state : {0, 1, 2}) {
    Fixture f;
    if (state == 1) f.type("?");
    if (state == 2) f.press(control('f'));
    f.press(control('c'));
    CHECK(f.browser->is_done());
  }
  Fixture f;
  f.press(control('f'));
  f.type("q");
  CHECK_FALSE(f.browser->is_done());
  f.press(KeyKind::enter);
  f.type("q");
  CHECK(f.browser->is_done());
}

TEST_CASE("an image without layers is shown, too") {
  const analyze::Image image{.name = "empty"};
  const auto analysis = analyze::analyze(image);
  Browser browser(image, analysis, {});
  for (const KeyKind kind : {KeyKind::down, KeyKind::tab, KeyKind::down, KeyKind::left, KeyKind::right, KeyKind::page_down}) browser.press({kind, ""});
  browser.press(control('e'));
  browser.press(control('a'));
  browser.press(control('l'));
  CHECK(browser.frame({100, 24}).size() == 24);
}

TEST_CASE("any keys in any order leave a whole frame") {
  const Key keys[] = {{KeyKind::up, ""}, {KeyKind::down, ""}, {KeyKind::left, ""}, {KeyKind::right, ""}, {KeyKind::page_up, ""}, {KeyKind::page_down, ""}, {KeyKind::home, ""}, {KeyKind::end, ""},
                      {KeyKind::tab, ""}, {KeyKind::enter, ""}, {KeyKind::escape, ""}, {KeyKind::erase, ""}, control('a'), control('r'), control('u'), control('b'), control('o'), control('e'), control('l'),
                      control('f'), control(' '), {KeyKind::text, " "}, {KeyKind::text, "n"}, {KeyKind::text, "N"}, {KeyKind::text, "("}, {KeyKind::text, "c"}, {KeyKind::text, "?"}, {KeyKind::text, "日"}};
  std::uint32_t state = 7;
  const auto random = [&](std::uint32_t below) { return (state = state * 1664525 + 1013904223) >> 8 & 0xffff ? (state >> 8) % below : 0; };
  Fixture f;
  for (int step = 0; step < 3000; ++step) {
    f.press(keys[random(std::size(keys))]);
    const ScreenSize size{.width = static_cast<int>(20 + random(150)), .height = static_cast<int>(3 + random(40))};
    const auto lines = f.browser->frame(size);
    REQUIRE(lines.size() == static_cast<std::size_t>(size.height));
    for (const Line& line : lines) REQUIRE(width_of(line) == size.width);
  }
}
