#include "nngpcheck/compare/report/page.hpp"

#include <set>

#include "nngpcheck/compare/report/text.hpp"
#include "scratch.hpp"
#include "xml.hpp"

namespace nngpcheck::compare {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string nasty =
    "<script>alert('x')</script> & \"quotes\" </title> 😀 ]]> {} %s \x01 `|* long"
    "longlonglonglonglonglonglonglonglonglonglonglonglonglonglonglong";

Page nasty_page(const std::string& text) {
  return {text,
          text,
          {Heading{text}, Paragraph{text, text}, Results{{{text, text, text}}}, Table{text, {text}, {{text}}},
           Listing{text, text}, Listing{"", text}}};
}

TEST(Xml, RejectsWhatIsNotWellFormed) {
  EXPECT_EQ(parse_xml("<a><b/></a>").error, "");
  for (const char* wrong :
       {"<a><b></a></b>", "<a>&nbsp;</a>", "<a b=c/>", "<a>\x01</a>", "<a>", "<a>\xff</a>"})
    EXPECT_NE(parse_xml(wrong).error, "") << wrong;
}

TEST(Xml, FindsExternalReferences) {
  for (const char* wrong :
       {"<img src='http://a.b/c.png'/>", "<a href='//a.b'/>", "<script/>", "<p onclick='x'/>",
        "<style>@import 'a.css'</style>", "<style>p { background: url(a.png) }</style>"})
    EXPECT_THAT(external_references(parse_xml(wrong)), Not(IsEmpty())) << wrong;
}

TEST(Html, IsXmlWhateverTheTexts) {
  const Xml xml = parse_xml(html(nasty_page(nasty)));
  EXPECT_EQ(xml.error, "");
  EXPECT_THAT(external_references(xml), IsEmpty());
  EXPECT_THAT(xml.text, HasSubstr("<script>alert('x')</script> & \"quotes\" </title> 😀 ]]> {} %s"));
  EXPECT_EQ(xml.count("p"), 1);
  EXPECT_EQ(xml.count("li"), 1);
  EXPECT_EQ(xml.count("h2"), 1);
  EXPECT_EQ(xml.count("pre"), 2);
  EXPECT_EQ(xml.count("details"), 1);
  // The result's link leads to the heading.
  EXPECT_EQ("#" + xml.attributes("id").at(0), xml.attributes("href").at(0));
}

TEST(Html, LinksDifferForDifferentHeadings) {
  const Xml xml = parse_xml(html({"", "", {Heading{"a-b"}, Heading{"a b"}, Heading{"ä"}, Heading{"a_b"}}}));
  const auto ids = xml.attributes("id");
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 4u);
}

const std::string picture = R"(<?xml version="1.0"?>
<svg
 width="60" height="40"
 viewBox="0 0 60 40"
 xmlns="http://www.w3.org/2000/svg"
>
<title>nngpcheck</title>
<g id="canvas"><path id='dot' d='M0,0'/><use xlink:href='#dot' filter='url(#f)'/><text> id='dot' url(#f)</text></g>
</svg>
)";

TEST(Html, LabelsEveryCellForNarrowScreens) {
  const Xml xml = parse_xml(html({"", "", {Table{"", {"width", "a & b"}, {{"1", "2"}, {"3", "4"}}}}}));
  EXPECT_THAT(xml.attributes("data-label"), testing::ElementsAre("width", "a & b", "width", "a & b"));
}

std::string decoded(const std::string& uri) {
  std::string result;
  for (std::size_t k = uri.find(',') + 1; k < uri.size(); ++k) {
    if (uri[k] == '%') {
      result += static_cast<char>(std::stoi(uri.substr(k + 1, 2), nullptr, 16));
      k += 2;
    } else {
      result += uri[k];
    }
  }
  return result;
}

TEST(Html, HoldsItsPictures) {
  const Pictures twice{{{"a", "A & B", "", picture + "ä%41"}, {"a", "", "caption", picture}}};
  const Xml xml = parse_xml(html({"", "", {twice}}));
  EXPECT_EQ(xml.error, "");
  EXPECT_THAT(external_references(xml), IsEmpty());
  const auto sources = xml.attributes("src");
  ASSERT_EQ(sources.size(), 2u);
  EXPECT_THAT(sources[0], testing::StartsWith("data:image/svg+xml,"));
  EXPECT_EQ(decoded(sources[0]), picture + "ä%41");
  EXPECT_EQ(sources[0].find_first_of("<>#\"'&\n"), std::string::npos);
  EXPECT_THAT(xml.attributes("alt"), Contains("A & B"));
  EXPECT_EQ(xml.count("figcaption"), 1);
}

TEST(Markdown, EscapesTexts) {
  const std::string text = markdown(nasty_page(nasty));
  EXPECT_THAT(text, HasSubstr("## \\<script\\>"));
  EXPECT_THAT(text, HasSubstr("\\`\\|\\* long"));
  EXPECT_THAT(text, Not(HasSubstr(" <script")));
  EXPECT_THAT(markdown({"", "", {Heading{"simple_rnn _x_"}}}), HasSubstr("## simple_rnn \\_x\\_\n"));
  EXPECT_EQ(markdown({"", "a", {Listing{"b", "c"}}}), "# a\n");
}

TEST(Markdown, RefersToPngFiles) {
  const Picture one{"a", "A", "first", picture}, other{"b", "B", "second", picture};
  EXPECT_THAT(markdown({"", "", {Pictures{{one}}}}), HasSubstr("![A](a.png)\n\nfirst\n"));
  EXPECT_THAT(markdown({"", "", {Pictures{{one, other}}}}),
              HasSubstr("| first | second |\n|:---:|:---:|\n| ![A](a.png) | ![B](b.png) |\n"));
}

TEST(Text, HasNumbersForPeople) {
  EXPECT_EQ(number(-0.9923, 3), "−0.992");
  EXPECT_EQ(number(-0.0001, 3), "0.000");
  EXPECT_EQ(scientific(0.000123456), "1.23 · 10⁻⁴");
  EXPECT_EQ(scientific(12.3), "1.23 · 10¹");
  EXPECT_EQ(scientific(0), "0");
  EXPECT_EQ(shortened("äöü", 3), "äöü");
  EXPECT_EQ(shortened("äöüß", 3), "ä…ß");
}

}  // namespace
}  // namespace nngpcheck::compare
