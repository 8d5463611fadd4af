#include <fmt/format.h>

#include "nngpcheck/compare/report/page.hpp"
#include "nngpcheck/compare/report/page_style.hpp"
#include "nngpcheck/compare/report/text.hpp"

namespace nngpcheck::compare {

namespace {

/// What a link to a heading refers to.
std::string anchor(const std::string& heading) {
  std::string result = "part";
  for (const char c : heading) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    result += plain ? std::string(1, c) : fmt::format("-{:02x}", static_cast<unsigned char>(c));
  }
  return result;
}

std::string element(const std::string& name, const std::string& text, const std::string& attributes = "") {
  return "<" + name + attributes + ">" + xml_escaped(text) + "</" + name + ">";
}

class Writer {
 public:
  std::string operator()(const Heading& heading) const {
    return element("h2", heading.text, fmt::format(" id=\"{}\"", anchor(heading.text))) + "\n";
  }

  std::string operator()(const Paragraph& paragraph) const {
    const std::string strong = paragraph.strong.empty() ? "" : element("strong", paragraph.strong) + " ";
    return "<p>" + strong + xml_escaped(paragraph.text) + "</p>\n";
  }

  std::string operator()(const Results& results) const {
    std::string text = "<ul class=\"results\">\n";
    for (const Result& line : results.lines) {
      text += "<li>" + element("a", line.heading, fmt::format(" href=\"#{}\"", anchor(line.heading)));
      if (!line.verdict.empty()) {
        text += " " + element("span", line.verdict, " class=\"verdict " + xml_escaped(line.verdict) + "\"");
      }
      text += " " + xml_escaped(line.text) + "</li>\n";
    }
    return text + "</ul>\n";
  }

  std::string operator()(const Table& table) const {
    std::string text =
        fmt::format("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table>\n",
                    xml_escaped(table.caption)) +
        element("caption", table.caption) + "\n<thead><tr>";
    for (const std::string& cell : table.header) text += element("th", cell, " scope=\"col\"");
    text += "</tr></thead>\n<tbody>\n";
    for (const auto& row : table.rows) {
      text += "<tr>";
      // The label stands before the cell where a screen is too narrow for columns.
      for (std::size_t k = 0; k < row.size(); ++k)
        text += element("td", row[k], fmt::format(" data-label=\"{}\"", xml_escaped(table.header[k])));
      text += "</tr>\n";
    }
    return text + "</tbody></table></div>\n";
  }

  std::string operator()(const Pictures& pictures) {
    std::string text = "<div class=\"pictures\">\n";
    for (const Picture& picture : pictures.pictures) {
      text += fmt::format("<figure><img src=\"{}\" alt=\"{}\"/>", svg_uri(picture.svg),
                          xml_escaped(picture.description));
      if (!picture.caption.empty()) text += element("figcaption", picture.caption);
      text += "</figure>\n";
    }
    return text + "</div>\n";
  }

  std::string operator()(const Listing& listing) const {
    const std::string text = element("pre", listing.text, " tabindex=\"0\"");
    if (listing.title.empty()) return text + "\n";
    return "<details>" + element("summary", listing.title) + text + "</details>\n";
  }
};

}  // namespace

std::string html(const Page& page) {
  std::string text = fmt::format(
      "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
      "<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "{}\n<style>{}</style>\n</head>\n<body>\n<main>\n{}\n",
      element("title", page.window_title), page_style, element("h1", page.title));
  Writer writer;
  for (const auto& block : page.blocks) text += std::visit(writer, block);
  return text + "</main>\n</body>\n</html>\n";
}

}  // namespace nngpcheck::compare
