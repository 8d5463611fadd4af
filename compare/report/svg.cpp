#include "nngpcheck/compare/report/svg.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/report/text.hpp"

namespace nngpcheck::compare {

namespace {

void insert_after(std::string& text, const std::string& mark, const std::string& inserted) {
  for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += inserted.size()) {
    at += mark.size();
    text.insert(at, inserted);
  }
}

/// Only tags are changed: a text may look like an id.
std::string with_prefixed_ids(const std::string& svg, const std::string& prefix) {
  std::string result;
  for (std::size_t at = 0; at < svg.size();) {
    const std::size_t open = std::min(svg.find('<', at), svg.size());
    const std::size_t close = std::min(svg.find('>', open), svg.size());
    result += svg.substr(at, open - at);
    std::string tag = svg.substr(open, close - open);
    for (const char* mark : {" id='", " id=\"", "href='#", "href=\"#", "url(#"})
      insert_after(tag, mark, prefix);
    result += tag;
    at = close;
  }
  return result;
}

/// Removes the first element of this name, which has no attributes.
void remove_element(std::string& svg, const std::string& name) {
  const std::size_t from = svg.find("<" + name + ">"), to = svg.find("</" + name + ">");
  if (from < to && to != std::string::npos) svg.erase(from, to + name.size() + 3 - from);
}

}  // namespace

std::string inlined_svg(const std::string& file, const std::string& prefix, const std::string& description) {
  const std::size_t root = file.find("<svg"), box = file.find("viewBox=\"", root);
  const std::size_t box_end = file.find('"', box + 9), end = file.find('>', root);
  if (root == std::string::npos || box_end == std::string::npos || box > end) {
    throw CompareError(
        "not a picture by gnuplot: there is no svg with a viewBox; remove it and draw it again");
  }
  std::string body = file.substr(end + 1);
  remove_element(body, "title");
  remove_element(body, "desc");
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" {} "
             "role=\"img\" aria-label=\"{}\">",
             file.substr(box, box_end + 1 - box), xml_escaped(description)) +
         with_prefixed_ids(body, prefix);
}

}  // namespace nngpcheck::compare
