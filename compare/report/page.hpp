// Private to compare/: a page of text, tables and pictures, written as Markdown and as HTML. All texts are
// plain, and escaped when they are written.
#pragma once

#include <string>
#include <variant>
#include <vector>

namespace nngpcheck::compare {

/// The heading of a part, to which results refer by its text.
struct Heading {
  std::string text;
};

/// `strong` comes first, in bold; either may be empty.
struct Paragraph {
  std::string strong, text;
};

/// One line of a list: a part of the page, a verdict ("agree", "disagree", "inconclusive" or ""), and a text.
struct Result {
  std::string heading, verdict, text;
};

struct Results {
  std::vector<Result> lines;
};

/// Every row has as many cells as the header.
struct Table {
  std::string caption;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

/// A picture as two files beside the page: `file`.png, to which Markdown refers, and `file`.svg, whose
/// contents `svg` become part of the HTML, as gnuplot writes them.
struct Picture {
  std::string file;
  std::string description;  // for those who do not see it
  std::string caption;      // below it, unless empty
  std::string svg = {};
};

/// Side by side where there is room.
struct Pictures {
  std::vector<Picture> pictures;
};

/// Text in a fixed font. Under a title it is folded away until somebody opens it; without one it is shown.
struct Listing {
  std::string title, text;
};

struct Page {
  std::string window_title, title;
  std::vector<std::variant<Heading, Paragraph, Results, Table, Pictures, Listing>> blocks;
};

/// As GitHub shows it, without the listings.
std::string markdown(const Page& page);

/// A file of its own: no script, and nothing that is fetched from elsewhere. It is XML, too. For screens of
/// any width, light or dark, and for paper.
std::string html(const Page& page);

}  // namespace nngpcheck::compare
