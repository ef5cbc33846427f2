# Maps of the simulated town: netgenerate of eclipse-sumo 1.28.0 (pip install eclipse-sumo); run in this folder.
set -e
N=${NETGENERATE:-netgenerate}
make() {  # name seed nx ny lx ly perturb extra...
  name=$1 seed=$2 nx=$3 ny=$4 lx=$5 ly=$6 perturb=$7; shift 7
  $N --grid --grid.x-number $nx --grid.y-number $ny --grid.x-length $lx --grid.y-length $ly \
    --perturb-x "$perturb" --perturb-y "$perturb" --seed $seed \
    --default.lanenumber 1 --default.lanewidth 3.5 --default.speed 10 --default.sidewalk-width 2.5 \
    --sidewalks.guess --sidewalks.guess.max-speed 15 --crossings.guess --tls.guess --tls.guess.threshold 29 --default.junctions.type priority \
    --default.junctions.radius 9 --tls.green.time 16 --tls.yellow.time 3 \
    --no-turnarounds --no-warnings --output-file $name.net.xml "$@"
  sed -i -e '/<!--/,/-->/d' $name.net.xml
  gzip -9nf $name.net.xml
}
make town_0 1 4 4 110 110 "0"
make town_1 2 4 3 140 100 "norm(0,6)"
make town_2 3 3 5 120 90 "norm(0,8)"
make town_3 4 4 4 100 130 "norm(0,10)"
make town_4 5 5 3 90 120 "norm(0,5)"
make town_5 6 3 4 130 130 "norm(0,12)"
