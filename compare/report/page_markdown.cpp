#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cctype>

#include "nngpcheck/compare/report/page.hpp"

namespace nngpcheck::compare {

namespace {

bool in_word(const std::string& text, std::size_t k) {
  return k < text.size() && std::isalnum(static_cast<unsigned char>(text[k]));
}

std::string escaped(const std::string& text) {
  std::string result;
  for (std::size_t k = 0; k < text.size(); ++k) {
    const char c = text[k];
    // An underscore inside a word means nothing, and names are full of them.
    const bool plain_underscore = c == '_' && k > 0 && in_word(text, k - 1) && in_word(text, k + 1);
    if (std::string("\\`*_[]<>&|~#").find(c) != std::string::npos && !plain_underscore) result += '\\';
    result += c == '\n' ? ' ' : c;
  }
  return result;
}

std::string row(const std::vector<std::string>& cells) {
  std::string result = "|";
  for (const std::string& cell : cells) result += " " + escaped(cell) + " |";
  return result + "\n";
}

struct MarkdownWriter {
  std::string operator()(const Heading& heading) const { return "## " + escaped(heading.text) + "\n"; }
  std::string operator()(const Paragraph& paragraph) const {
    const std::string strong = paragraph.strong.empty() ? "" : "**" + escaped(paragraph.strong) + "**";
    return strong + (strong.empty() || paragraph.text.empty() ? "" : " ") + escaped(paragraph.text) + "\n";
  }
  std::string operator()(const Results& results) const {
    std::string text;
    for (const Result& line : results.lines) {
      const std::string verdict = line.verdict.empty() ? "" : "**" + escaped(line.verdict) + "**; ";
      text += fmt::format("- {}: {}{}\n", escaped(line.heading), verdict, escaped(line.text));
    }
    return text;
  }
  std::string operator()(const Table& table) const {
    std::string text = escaped(table.caption) + "\n\n" + row(table.header) + "|";
    for (std::size_t k = 0; k < table.header.size(); ++k) text += "---:|";
    text += "\n";
    for (const auto& cells : table.rows) text += row(cells);
    return text;
  }
  std::string operator()(const Pictures& pictures) const {
    std::vector<std::string> images, captions;
    for (const Picture& picture : pictures.pictures) {
      images.push_back(fmt::format("![{}]({}.png)", escaped(picture.description), picture.file));
      captions.push_back(picture.caption);
    }
    if (images.size() == 1)
      return images[0] + "\n" + (captions[0].empty() ? "" : "\n" + escaped(captions[0]) + "\n");
    std::string rule = "|";
    for (std::size_t k = 0; k < images.size(); ++k) rule += ":---:|";
    return row(captions) + rule + "\n| " + fmt::format("{}", fmt::join(images, " | ")) + " |\n";
  }
  std::string operator()(const Listing&) const { return ""; }
};

}  // namespace

std::string markdown(const Page& page) {
  std::string text = "# " + escaped(page.title) + "\n";
  for (const auto& block : page.blocks) {
    if (const std::string written = std::visit(MarkdownWriter(), block); !written.empty())
      text += "\n" + written;
  }
  return text;
}

}  // namespace nngpcheck::compare
