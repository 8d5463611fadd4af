#include "nngpcheck/config/inputs_table.hpp"

#include "tests/files/array_bytes.hpp"
#include "tests/input_error.hpp"

namespace nngpcheck::config {
namespace {

using Eigen::MatrixXd;
using inputs::Inputs;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

class InputsTable : public Scratch {
 protected:
  InputsTable() {
    write("vectors.csv", "x0,x1\n1,2\n3,4\n5,6\n");
    write("grids.csv", "x0,x1,x2,x3,x4,x5,x6,x7\n0,1,2,3,4,5,6,7\n8,9,10,11,12,13,14,15\n");
    write("tokens.csv", "sequence,position,token,x0\n0,0,a,1\n0,1,b,2\n1,0,c,3\n");
    std::string pictures;  // image i: label 7, and bytes i, i + 1, …
    for (int i = 0; i < 3; ++i) {
      pictures += '\7';
      for (int p = 0; p < 3072; ++p) pictures += static_cast<char>((p + i) % 256);
    }
    write("pictures.bin", pictures);
  }

  inputs::Inputs read(const std::string& text) {
    const toml::table table = toml::parse(text, (folder_ / "e.toml").string());
    resolved_.clear();
    InputsRead result = read_inputs_table({table, "inputs", "e.toml"}, resolved_, reads_);
    said_ = result.said;
    doubt_ = result.doubt;
    return std::move(result.inputs);
  }
  std::string error(const std::string& text) {
    return error_of([&] { read(text); });
  }

  nlohmann::ordered_json resolved_;
  std::string reads_, said_, doubt_;
};

TEST_F(InputsTable, ResolvesEveryDefault) {
  read("file = \"vectors.csv\"");
  EXPECT_EQ(resolved_.dump(),
            "{\"file\":\"vectors.csv\",\"flat\":false,\"grid\":[],\"first\":0,\"count\":3,\"graph\":null,"
            "\"directed\":false,\"batch_size\":3,\"columns\":3,\"dimension\":2}");
  read("images = {count = 2, size = [2, 3]}");
  EXPECT_EQ(resolved_.dump(),
            "{\"images\":{\"count\":2,\"channels\":1,\"size\":[2,3],\"seed\":0},\"flat\":false,"
            "\"batch_size\":2,\"columns\":12,\"dimension\":1}");
  read("file = \"pictures.bin\"\nfirst = 1");
  EXPECT_EQ(resolved_.dump(),
            "{\"file\":\"pictures.bin\",\"flat\":false,\"grid\":[32,32],\"first\":1,\"count\":2,"
            "\"layout\":\"channels_first\",\"graph\":null,\"directed\":false,"
            "\"batch_size\":2,\"columns\":2048,\"dimension\":3}");
}

TEST_F(InputsTable, ReadsOthersByName) {
  const inputs::Inputs inputs = read(
      "file = \"tokens.csv\"\nothers = {picture = {file = \"grids.csv\", grid = [2, 4]}, "
      "tag = {file = \"vectors.csv\", first = 1}}");
  ASSERT_THAT(inputs.others, SizeIs(2));
  EXPECT_EQ(inputs.named("picture").grid, (std::vector<Eigen::Index>{2, 4}));
  EXPECT_EQ(inputs.named("tag").data, (MatrixXd{{3, 5}, {4, 6}}));
  EXPECT_THAT(said_, HasSubstr("; tag: vectors.csv: "));
  EXPECT_EQ(resolved_["others"]["tag"]["first"], 1);
  const auto refused = [&](const std::string& others) {
    return error("file = \"tokens.csv\"\nothers = " + others);
  };
  EXPECT_THAT(refused("1"), HasSubstr("e.toml:2: inputs.others is an integer"));
  EXPECT_THAT(refused("{tag = 1}"), HasSubstr("inputs.others.tag is an integer"));
  EXPECT_THAT(refused("{tag = {}}"), HasSubstr("[inputs.others.tag] has neither \"file\" nor"));
  EXPECT_THAT(refused("{tag = {file = \"vectors.csv\"}}"),
              HasSubstr("e.toml:2: the inputs \"tag\" have 3 samples, the first inputs 2"));
  EXPECT_THAT(refused("{tag = {file = \"vectors.csv\", batch_size = 2}}"),
              HasSubstr("unknown key \"inputs.others.tag.batch_size\""));
  EXPECT_THAT(refused("{tag = {file = \"vectors.csv\", first = 3}}"),
              HasSubstr("inputs.others.tag.first = 3: the file has 3 rows"));
}

TEST_F(InputsTable, TakesRows) {
  const inputs::Inputs inputs = read("file = \"vectors.csv\"\nfirst = 1\ncount = 1");
  EXPECT_EQ(inputs.data, (MatrixXd{{3}, {4}}));
  EXPECT_THAT(inputs.labels, ElementsAre("0"));
  EXPECT_EQ(read("file = \"vectors.csv\"\nfirst = 2").data, (MatrixXd{{5}, {6}}));
  EXPECT_EQ(read("file = \"vectors.csv\"\ncount = 2").data, (MatrixXd{{1, 3}, {2, 4}}));
}

TEST_F(InputsTable, RejectsRowsThatAreNotThere) {
  EXPECT_THAT(error("file = \"vectors.csv\"\nfirst = 3"),
              HasSubstr("e.toml:2: inputs.first = 3: the file has 3 rows, numbered from 0"));
  EXPECT_THAT(error("file = \"vectors.csv\"\nfirst = -1"),
              HasSubstr("e.toml:2: inputs.first = -1: must be "));
  EXPECT_THAT(error("file = \"vectors.csv\"\nfirst = 1\ncount = 3"),
              HasSubstr("e.toml:3: inputs.count = 3: the file has 2 rows from row 1 on"));
  EXPECT_THAT(error("file = \"vectors.csv\"\ncount = 0"), HasSubstr("inputs.count = 0: must be at least 1"));
  EXPECT_THAT(error("file = \"pictures.bin\"\ncount = 4"), HasSubstr("the file has 3 rows from row 0 on"));
  EXPECT_THAT(error("file = \"tokens.csv\"\ncount = 1"),
              HasSubstr("e.toml:2: inputs.count: the file holds sequences"));
}

TEST_F(InputsTable, ReadsGridsChannelByChannel) {
  const inputs::Inputs inputs = read("file = \"grids.csv\"\ngrid = [2, 2]");
  EXPECT_EQ(inputs.data, (MatrixXd{{0, 1, 2, 3, 8, 9, 10, 11}, {4, 5, 6, 7, 12, 13, 14, 15}}));
  EXPECT_THAT(inputs.grid, ElementsAre(2, 2));
  EXPECT_THAT(inputs.labels,
              ElementsAre("0:0,0", "0:0,1", "0:1,0", "0:1,1", "1:0,0", "1:0,1", "1:1,0", "1:1,1"));
  EXPECT_NO_THROW(inputs::validate(inputs));
  EXPECT_THAT(read("file = \"grids.csv\"\ngrid = [8]\nfirst = 1").labels, SizeIs(8));
  EXPECT_EQ(read("file = \"grids.csv\"\ngrid = [1, 4, 2]\nfirst = 1").labels.back(), "0:0,3,1");
}

TEST_F(InputsTable, RejectsGridsThatDoNotFit) {
  const std::string file = "file = \"grids.csv\"\n";
  EXPECT_THAT(error(file + "grid = [3]"),
              HasSubstr("e.toml:2: inputs.grid = [3]: a row of the file holds 8 numbers, no multiple of 3"));
  EXPECT_THAT(error(file + "grid = [4, 4]"), HasSubstr("holds 8 numbers, no multiple of 4·4"));
  EXPECT_THAT(error(file + "grid = [4294967296, 4294967296]"), HasSubstr("no multiple of"));
  EXPECT_THAT(error(file + "grid = []"), HasSubstr("inputs.grid = []: must be the lengths of 1 to 3 axes"));
  EXPECT_THAT(error(file + "grid = [1, 1, 1, 8]"), HasSubstr("1 to 3 axes"));
  EXPECT_THAT(error(file + "grid = [0, 8]"), HasSubstr("length of at least 1"));
  EXPECT_THAT(error(file + "grid = 8"), HasSubstr("e.toml:2: inputs.grid is an integer, not an array"));
  EXPECT_THAT(error(file + "grid = [2.5]"), HasSubstr("inputs.grid holds a number; give integers"));
  EXPECT_THAT(error("file = \"tokens.csv\"\ngrid = [1]"), HasSubstr("inputs.grid: the file holds sequences"));
}

TEST_F(InputsTable, ReadsCifar) {
  const inputs::Inputs inputs = read("file = \"pictures.bin\"\nfirst = 1\ncount = 1");
  EXPECT_THAT(inputs.grid, ElementsAre(32, 32));
  ASSERT_EQ(inputs.count(), 1024);
  EXPECT_EQ(inputs.labels[33], "0:1,1");
  // Byte 1024 c + 32 y + x of image 1 is itself plus 1, modulo 256.
  EXPECT_EQ(inputs.data(0, 33), 34 / 127.5 - 1);
  EXPECT_EQ(inputs.data(2, 255), 0 / 127.5 - 1);
  EXPECT_EQ(inputs.data(1, 254), 255 / 127.5 - 1);
  const inputs::Inputs flat = read("file = \"pictures.bin\"\nflat = true");
  EXPECT_THAT(flat.grid, IsEmpty());
  EXPECT_EQ(flat.dimension(), 3072);
  EXPECT_EQ(flat.data(1024 + 254, 1), 1);
  EXPECT_EQ(resolved_["grid"].dump(), "[]");
}

TEST_F(InputsTable, RejectsWhatIsNoCifar) {
  write("short.bin", std::string(3072, '\0'));
  write("empty.bin", "");
  EXPECT_THAT(error("file = \"short.bin\""),
              AllOf(HasSubstr("e.toml:1: "), HasSubstr("short.bin: 3072 bytes that are neither CIFAR-10's")));
  EXPECT_THAT(error("file = \"empty.bin\""), HasSubstr("0 bytes that are neither"));
  EXPECT_THAT(error("file = \"none.bin\""), HasSubstr("none.bin: no such file"));
  EXPECT_THAT(read("file = \"pictures.bin\"\ngrid = [32, 32]").grid, ElementsAre(32, 32));
  EXPECT_THAT(error("file = \"pictures.bin\"\ngrid = [16, 64]"),
              HasSubstr("the grid [16, 64] is not what its axes"));
  EXPECT_THAT(error("file = \"pictures.bin\"\ngraph = \"e.csv\""),
              HasSubstr("the nodes of a graph cannot be images"));
}

TEST_F(InputsTable, MakesImages) {
  const inputs::Inputs grids = read("images = {count = 2, channels = 3, size = [2, 4], seed = 5}");
  EXPECT_THAT(grids.grid, ElementsAre(2, 4));
  EXPECT_EQ(grids.dimension(), 3);
  EXPECT_EQ(grids.labels.back(), "1:1,3");
  const inputs::Inputs flat =
      read("images = {count = 2, channels = 3, size = [2, 4], seed = 5}\nflat = true");
  EXPECT_THAT(flat.labels, ElementsAre("0", "1"));
  EXPECT_THAT(flat.grid, IsEmpty());
  EXPECT_EQ(flat.data(2 * 8 + 7, 1), grids.data(2, 15));
}

TEST_F(InputsTable, RejectsImagesThatCannotBeMade) {
  EXPECT_THAT(error("images = {size = [8, 8]}"), HasSubstr("e.toml:1: [inputs.images] has no \"count\""));
  EXPECT_THAT(error("images = {count = 2}"), HasSubstr("[inputs.images] has no \"size\"; add size = [8, 8]"));
  EXPECT_THAT(error("images = {count = 0, size = [8]}"),
              HasSubstr("inputs.images.count = 0: must be at least 1"));
  EXPECT_THAT(error("images = {count = 1, channels = 0, size = [8]}"),
              HasSubstr("inputs.images.channels = 0"));
  EXPECT_THAT(error("images = {count = 1, size = [8], seed = -1}"), HasSubstr("inputs.images.seed = -1"));
  EXPECT_THAT(error("images = {count = 1, size = [3]}"), HasSubstr("at least 4 positions"));
  EXPECT_THAT(error("images = {count = 1, size = [-8, -8]}"), HasSubstr("length of at least 1"));
  EXPECT_THAT(
      error("images = {count = 1000000, size = [1000000, 1000000, 1000000]}"),
      HasSubstr("inputs.images.count = 1e+06: samples of 1e+18 positions and 1e+18 numbers; at most"));
  EXPECT_THAT(error("images = {count = 1000000000000, size = [2, 2]}\nflat = true"),
              HasSubstr("inputs.images.count = 1e+12: "));
  EXPECT_THAT(error("images = {count = 1, size = [8], sed = 1}"),
              HasSubstr("unknown key \"inputs.images.sed\"; did you mean \"seed\"?"));
  EXPECT_THAT(error("images = {count = 1, size = [8]}\ncount = 1"),
              HasSubstr("inputs.count: images say their size and their count themselves; leave it out"));
  EXPECT_THAT(error("images = 64"), HasSubstr("e.toml:1: inputs.images is an integer, not a table"));
}

TEST_F(InputsTable, RejectsMoreThanMemoryHolds) {
  std::string rows = "x0,x1\n";
  for (int i = 0; i < 50'001; ++i) rows += "1,2\n";
  write("many.csv", rows);
  EXPECT_EQ(read("file = \"many.csv\"").count(), 50'001);
  EXPECT_THAT(error("file = \"many.csv\"\ngrid = [2]"),
              HasSubstr("inputs.count = 50001: samples of 2 positions and 2 numbers; at most 1e5 positions"));
  EXPECT_EQ(read("file = \"many.csv\"\ngrid = [2]\ncount = 50000").count(), 100'000);
}

TEST_F(InputsTable, AssignsBatches) {
  EXPECT_THAT(read("file = \"vectors.csv\"\nbatch_size = 2").batch, ElementsAre(0, 0, 1));
  EXPECT_EQ(resolved_["batch_size"], 2);
  EXPECT_THAT(read("file = \"vectors.csv\"\nbatch_size = 3").batch, IsEmpty());
  EXPECT_THAT(read("file = \"grids.csv\"\ngrid = [8]\nbatch_size = 1").batch, ElementsAre(0, 1));
  EXPECT_THAT(read("file = \"tokens.csv\"\nbatch_size = 1").batch, ElementsAre(0, 1));
  EXPECT_THAT(read("images = {count = 5, size = [4]}\nbatch_size = 2").batch, ElementsAre(0, 0, 1, 1, 2));
  EXPECT_THAT(error("file = \"vectors.csv\"\nbatch_size = 0"),
              HasSubstr("e.toml:2: inputs.batch_size = 0: must be at least 1"));
}

TEST_F(InputsTable, ReadsGraphs) {
  write("edges.csv", "source,target\n0,1\n2,2\n");
  const inputs::Inputs inputs = read("file = \"vectors.csv\"\ngraph = \"edges.csv\"");
  ASSERT_TRUE(inputs.graph);
  EXPECT_THAT(*inputs.graph, SizeIs(3));
  EXPECT_THAT(inputs.labels, ElementsAre("0", "1", "2"));
  EXPECT_EQ(resolved_["graph"], "edges.csv");
  EXPECT_EQ(resolved_["batch_size"], 1);
  EXPECT_THAT(*read("file = \"vectors.csv\"\ngraph = \"edges.csv\"\ndirected = true").graph, SizeIs(2));
  EXPECT_EQ(resolved_["directed"], true);
}

TEST_F(InputsTable, ReadsSeveralGraphs) {
  write("edges.csv", "source,target,weight\n0,1,-0.5\n");
  const std::string file = "file = \"vectors.csv\"\ngraph = \"edges.csv\"\n";
  const inputs::Inputs inputs = read(file + "graph_sizes = [2, 1]");
  EXPECT_EQ(inputs.samples(), 2);
  EXPECT_EQ(resolved_["graph_sizes"], (std::vector<Eigen::Index>{2, 1}));
  EXPECT_THAT(said_, HasSubstr("2 graphs of 3 nodes"));
  write("sizes.csv", "nodes\n2\n1\n");
  EXPECT_EQ(read(file + "graph_sizes = \"sizes.csv\"").graph_sizes, inputs.graph_sizes);
  EXPECT_THAT(error(file + "graph_sizes = [1, 2]"),
              AllOf(HasSubstr("e.toml:3: "), HasSubstr("from graph 0 to graph 1")));
  EXPECT_THAT(error(file + "graph_sizes = [2, 2]"), HasSubstr("the graphs have 4 nodes but the inputs 3"));
  write("sizes.csv", "nodes\n2.5\n1\n");
  EXPECT_THAT(error(file + "graph_sizes = \"sizes.csv\""), HasSubstr("a graph is empty"));
  EXPECT_THAT(error("file = \"vectors.csv\"\ngraph_sizes = [2, 1]"),
              HasSubstr("inputs.graph_sizes: there is no graph; leave it out"));
}

TEST_F(InputsTable, RejectsGraphsThatDoNotFit) {
  write("edges.csv", "source,target\n0,3\n");
  const std::string file = "file = \"vectors.csv\"\ngraph = \"edges.csv\"\n";
  EXPECT_THAT(error(file), AllOf(HasSubstr("e.toml:2: "), HasSubstr("edges.csv:2: target \"3\" is no node")));
  EXPECT_THAT(error("file = \"vectors.csv\"\ngraph = \"none.csv\""), HasSubstr("none.csv: no such file"));
  EXPECT_THAT(error("file = \"vectors.csv\"\ndirected = true"),
              HasSubstr("e.toml:2: inputs.directed: there is no graph; leave it out"));
  for (const std::string other : {"first = 1", "count = 2", "grid = [2]", "batch_size = 1"}) {
    EXPECT_THAT(error(file + other), HasSubstr("e.toml:3: inputs." + other.substr(0, other.find(' ')) +
                                               ": with a graph, all rows of the file are nodes"));
  }
  EXPECT_THAT(error("file = \"tokens.csv\"\ngraph = \"edges.csv\""),
              HasSubstr("cannot be images or tokens of sequences"));
}

TEST_F(InputsTable, SaysHowItReadsATable) {
  write("wine.csv", "\"id\";\"acid\";\"sugar\";\"kind\"\n7;5,1;3,5;red\n9;7;3,2;white\n");
  const std::string file = "file = \"wine.csv\"\n";
  const inputs::Inputs inputs = read(file + "skip = [\"id\"]\ncount = 1");
  EXPECT_EQ(inputs.data, (MatrixXd{{5.1}, {3.5}}));
  EXPECT_THAT(inputs.labels, ElementsAre("red"));
  EXPECT_EQ(said_,
            "wine.csv: 2 rows, separated by ;, decimal comma, a header; inputs: acid, sugar; labels: kind; "
            "left out: id: 1 "
            "vectors of 2 numbers");
  EXPECT_EQ(resolved_["skip"].dump(), "[\"id\"]");
  EXPECT_EQ(read(file + "columns = \"sugar\"").dimension(), 1);
  EXPECT_EQ(read(file + "columns = [1, 2]\nlabels = \"id\"").labels[1], "9");
  EXPECT_EQ(read(file + "skip = 1\nheader = false").data.rows(), 3);
  EXPECT_THAT(error(file + "columns = [\"sugr\"]"), HasSubstr("did you mean \"sugar\"?"));
  EXPECT_THAT(error(file + "columns = [1.5]"),
              HasSubstr("inputs.columns holds a number; give names of columns"));
  EXPECT_THAT(error(file + "separator = \";;\""),
              HasSubstr("e.toml:2: inputs.separator = \";;\": must be one character"));
  EXPECT_THAT(error(file + "decimal = \"x\""), HasSubstr("e.toml:2: inputs.decimal = \"x\""));
  EXPECT_THAT(error(file + "skip = -1"), HasSubstr("inputs.skip = -1: must be at least 0"));
  EXPECT_THAT(error("file = \"pictures.bin\"\nheader = true"),
              HasSubstr("inputs.header: the file holds an array"));
}

TEST_F(InputsTable, ReadsArraysByTheirAxes) {
  write("s.npy", files::npy_of<double>("<f8", "(2, 3, 2)", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  const std::string file = "file = \"s.npy\"\n";
  EXPECT_THAT(read(file).lengths, ElementsAre(3, 3));
  EXPECT_EQ(said_, "s.npy: an array of float64, shape (2, 3, 2): 2 sequences with 2 numbers a token");
  EXPECT_THAT(read(file + "lengths = [1, 2]\nfirst = 1").lengths, ElementsAre(2));
  write("n.npy", files::npy_of<std::int64_t>("<i8", "(2,)", {3, 1}));
  EXPECT_THAT(read(file + "lengths = \"n.npy\"").lengths, ElementsAre(3, 1));
  EXPECT_THAT(error(file + "lengths = [1]"),
              HasSubstr("e.toml:2: inputs.lengths: 1 lengths for 2 sequences"));
  EXPECT_THAT(error(file + "lengths = [1, 4]"),
              HasSubstr("inputs.lengths holds 4: must be an integer from 1 to 3"));
  EXPECT_THAT(error(file + "lengths = [0, 1]"), HasSubstr("inputs.lengths holds 0"));
  EXPECT_THAT(read(file + "grid = [3]").grid, ElementsAre(3));
  EXPECT_THAT(read(file + "layout = \"channels_first\"").grid, ElementsAre(2));
  EXPECT_THAT(error(file + "layout = \"nchw\""),
              HasSubstr("must be \"channels_first\" or \"channels_last\""));
  EXPECT_EQ(read(file + "flat = true").data.col(1), (Eigen::VectorXd{{6, 7, 8, 9, 10, 11}}));
  reads_ = "grids";
  EXPECT_THAT(error(file), AllOf(HasSubstr("e.toml:1: "), HasSubstr("write grid = [3, 2]")));
}

TEST_F(InputsTable, DoubtsWhereChannelsAre) {
  const std::string file = "file = \"grids.csv\"\ngrid = [2, 2]\n";
  read(file);
  EXPECT_THAT(doubt_, HasSubstr("rows of 8 numbers on a grid of 4 positions are read as 2 channels"));
  EXPECT_EQ(read(file + "layout = \"channels_last\"").data,
            (MatrixXd{{0, 2, 4, 6, 8, 10, 12, 14}, {1, 3, 5, 7, 9, 11, 13, 15}}));
  EXPECT_EQ(doubt_, "");
  EXPECT_EQ(resolved_["layout"], "channels_last");
}

TEST_F(InputsTable, MapsBytes) {
  write("images", files::idx('\x08', {1, 2, 2}, std::string("\0\x33\xff\0", 4)));
  EXPECT_EQ(read("file = \"images\"").data, (MatrixXd{{0, 51, 255, 0}}));
  EXPECT_EQ(read("file = \"images\"\nrange = [0, 1]").data, (MatrixXd{{0, 0.2, 1, 0}}));
  EXPECT_EQ(read("file = \"pictures.bin\"\nrange = [0, 255]").data(0, 33), 33);
  EXPECT_THAT(error("file = \"images\"\nrange = [1, 0]"),
              HasSubstr("e.toml:2: inputs.range: must be two numbers"));
  EXPECT_THAT(error("file = \"images\"\nrange = [1]"), HasSubstr("must be two numbers"));
  EXPECT_THAT(error("file = \"vectors.csv\"\nrange = [0, 1]"),
              HasSubstr("inputs.range: the file holds no bytes"));
}

TEST_F(InputsTable, MakesVectorsOfImagesForPerceptrons) {
  reads_ = "vectors";
  EXPECT_EQ(read("file = \"pictures.bin\"").dimension(), 3072);
  EXPECT_EQ(resolved_["flat"], true);
  EXPECT_EQ(read("images = {count = 2, size = [2, 2]}").dimension(), 4);
  EXPECT_EQ(read("file = \"pictures.bin\"\nflat = false").dimension(), 3);
}

TEST_F(InputsTable, RejectsKeysThatDoNotGoTogether) {
  EXPECT_THAT(error("file = \"vectors.csv\"\nimages = {count = 1, size = [4]}"),
              HasSubstr("e.toml:2: inputs.images: there is a file as well; leave it out"));
  EXPECT_THAT(error(""), HasSubstr("[inputs] has neither \"file\" nor \"images\"; add file = "));
  EXPECT_THAT(error("file = \"vectors.csv\"\nflat = true"),
              HasSubstr("e.toml:2: inputs.flat: rows of numbers"));
  EXPECT_THAT(error("file = \"pictures.bin\"\nflat = 1"),
              HasSubstr("e.toml:2: inputs.flat is an integer, not true or false"));
  const std::string images = "images = {count = 1, size = [4]}\n";
  EXPECT_THAT(error(images + "count = 1"), HasSubstr("e.toml:2: inputs.count: images say"));
  EXPECT_THAT(error(images + "grid = [4]"), HasSubstr("inputs.grid: images say"));
  EXPECT_THAT(error(images + "graph = \"edges.csv\""), HasSubstr("inputs.graph: the nodes of a graph"));
  EXPECT_THAT(error(images + "batchsize = 1"),
              HasSubstr("unknown key \"inputs.batchsize\"; did you mean \"batch_size\"?"));
}

}  // namespace
}  // namespace nngpcheck::config
