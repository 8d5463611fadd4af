// Private to compare/: pictures drawn by gnuplot.
#pragma once

#include <filesystem>
#include <string>

namespace nngpcheck::compare {

/// A text as gnuplot's string literal; control characters, which an SVG cannot have, become spaces.
std::string quoted(const std::string& text);

/// In units of the SVG; the PNG has 1.5 pixels for each.
struct Canvas {
  int width;
  int height;
  int font_size;  // of all texts
};

/// Runs `setup` once, then `commands` for each of `base`.svg and `base`.png. Throws CompareError if gnuplot
/// is not installed or fails, or the files cannot be written; both or none appear.
void draw(const Canvas& canvas, const std::string& setup, const std::string& commands,
          const std::filesystem::path& base);

}  // namespace nngpcheck::compare
