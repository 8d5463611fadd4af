#include "nngpcheck/inputs/graph.hpp"

#include <cmath>

#include "tests/input_error.hpp"

namespace nngpcheck::inputs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Edges : public Scratch {
 protected:
  /// Edges as "source>target weight".
  std::vector<std::string> read(const std::string& contents, EdgeKind kind = EdgeKind::undirected) const {
    std::vector<std::string> result;
    for (const auto& [source, target, weight] : read_edges(write("g.csv", contents), 4, kind)) {
      result.push_back(std::to_string(source) + ">" + std::to_string(target) + " " +
                       std::to_string(weight).substr(0, 3));
    }
    return result;
  }
  std::string error(const std::string& contents, EdgeKind kind = EdgeKind::undirected) const {
    return error_of([&] { read(contents, kind); });
  }
};

TEST_F(Edges, AreListedInBothDirections) {
  EXPECT_THAT(read("source,target\n0,1\n3,3\n2,0\n"),
              ElementsAre("0>1 1.0", "1>0 1.0", "3>3 1.0", "2>0 1.0", "0>2 1.0"));
}

TEST_F(Edges, AreListedOnceIfDirected) {
  EXPECT_THAT(read("source,target\n0,1\n1,0\n3,3\n", EdgeKind::directed),
              ElementsAre("0>1 1.0", "1>0 1.0", "3>3 1.0"));
}

TEST_F(Edges, AreOneEdgeWhereBothDirectionsAreGiven) {
  EXPECT_THAT(read("source,target\n0,1\n1,0\n1,2\n2,1\n3,3\n"), read("source,target\n0,1\n1,2\n3,3\n"));
  EXPECT_THAT(read("source,target,weight\n0,1,0.5\n1,0,0.5\n"), ElementsAre("0>1 0.5", "1>0 0.5"));
  EXPECT_THAT(
      error("source,target,weight\n0,1,0.5\n1,0,0.6\n"),
      HasSubstr(
          "g.csv:3: the edge 1,0 has another weight on line 2, and edges are undirected unless directed"));
  EXPECT_THAT(read("source,target,weight\n0,1,0.5\n1,0,0.6\n", EdgeKind::directed),
              ElementsAre("0>1 0.5", "1>0 0.6"));
}

TEST_F(Edges, HaveWeights) {
  EXPECT_THAT(read("source, target, weight\n0, 1, 0.5\n1, 1, 0\n"),
              ElementsAre("0>1 0.5", "1>0 0.5", "1>1 0.0"));
  EXPECT_THAT(read("source,target,weight\n0,1,-0.5\n"), ElementsAre("0>1 -0.", "1>0 -0."));
  EXPECT_THAT(read("source,target\n"), IsEmpty());
}

TEST_F(Edges, RejectMalformedTables) {
  EXPECT_THAT(error(""), HasSubstr("g.csv: empty; it must start with the header source,target"));
  EXPECT_THAT(error("0,1\n"), HasSubstr("g.csv:1: must be the header source,target or source,target,weight"));
  EXPECT_THAT(error("target,source\n"), HasSubstr("g.csv:1: "));
  EXPECT_THAT(error("source,target\n0,1,2\n"), HasSubstr("g.csv:2: 3 fields where the header has 2"));
}

TEST_F(Edges, RejectWhatIsNoNodeOrWeight) {
  EXPECT_THAT(error("source,target\n0,1\n4,1\n"),
              HasSubstr("g.csv:3: source \"4\" is no node; there are 4, numbered from 0"));
  EXPECT_THAT(error("source,target\n0,-1\n"), HasSubstr("g.csv:2: target \"-1\" is no node"));
  EXPECT_THAT(error("source,target\n0,1.5\n"), HasSubstr("target \"1.5\" is no integer"));
  for (const std::string weight : {"nan", "inf", "heavy", "", "1e999"}) {
    EXPECT_THAT(error("source,target,weight\n0,1," + weight + "\n"),
                HasSubstr("g.csv:2: weight \"" + weight + "\": must be a finite number"));
  }
}

TEST_F(Edges, RejectEdgesThatAreThereTwice) {
  EXPECT_THAT(error("source,target\n0,1\n2,1\n0,1\n"),
              HasSubstr("g.csv:4: the edge 0,1 stands on line 2 already"));
  EXPECT_THAT(error("source,target\n0,1\n1,0\n1,0\n"),
              HasSubstr("g.csv:4: the edge 1,0 stands on line 3 already; remove one"));
  EXPECT_THAT(error("source,target\n0,1\n0,1\n", EdgeKind::directed),
              HasSubstr("g.csv:3: the edge 0,1 stands on line 2 already; remove one"));
}

TEST(ListedEdges, AreThoseOfAFile) {
  const std::vector<Edge> edges = listed_edges({{0, 1}, {1, 0}, {2, 2, 0.5}}, 3, EdgeKind::undirected);
  ASSERT_EQ(edges.size(), 3u);
  EXPECT_EQ(edges[1].source, 1);
  EXPECT_EQ(edges[2].weight, 0.5);
  const auto error = [](const Edge& edge) {
    return error_of([&] { listed_edges({{0, 1}, edge}, 3, EdgeKind::undirected); });
  };
  EXPECT_THAT(error({0, 3}), HasSubstr("edges: row 1: target \"3\" is no node; there are 3"));
  EXPECT_THAT(error({0, 1}), HasSubstr("edges: row 1: the edge 0,1 stands in row 0 already"));
  EXPECT_THAT(error({1, 2, std::nan("")}), HasSubstr("edges: row 1: its weight must be a finite number"));
}

}  // namespace
}  // namespace nngpcheck::inputs
