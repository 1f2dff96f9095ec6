Mis padres plantan flores con los turistas en la escuela todas las mañanas.
El estudiante ve un partido de fútbol con mi hermano en el hotel todas las noches.
Los niños cocinaron pescado con el cocinero junto al río el año pasado.
Mis padres leerán un libro con los niños en la playa mañana.
Todos los domingos el estudiante toma fotos con mi hermana en la escuela.
El estudiante quiere esperar el tren con mi abuela en el pueblo mañana.
Nuestros vecinos compraron flores en el pueblo la semana pasada.
El cocinero quiere vender leche con el granjero en la ciudad mañana por la mañana.
Mi hermano escribirá un poema con el granjero en la escuela mañana.
El año pasado el médico leyó el periódico con mi hermano en el jardín.
Todas las noches nuestros vecinos plantan árboles con las mujeres en el pueblo.
La semana pasada el estudiante reparó la radio en la playa.
El médico beberá té con el cocinero bajo el árbol el próximo mes.
La maestra escuchará canciones antiguas con mi hija en la cocina la próxima semana.
Mañana por la mañana mi hermana quiere esperar el tren con mi abuela en la ciudad.
La chica escuchó canciones antiguas en la cocina la semana pasada.
Mi hermana cantó una canción en la escuela anoche.
El granjero lava la bicicleta en el pueblo todos los domingos.
Mis amigos escribieron un poema bajo el árbol anoche.
Anteayer la maestra escribió una carta con las mujeres bajo el árbol.
Todas las mañanas mi abuela come fruta con mis amigos en el jardín.
Mañana la maestra verá una película con mi hermano en el pueblo.
La maestra escribe un poema con el cocinero en el jardín todas las mañanas.
La semana pasada nuestros vecinos compraron pan en el mercado.
Los niños vendieron flores con los turistas en el mercado anteayer.
Anoche la chica escribió un poema con mis padres en el hotel.
Todos los días el estudiante planta árboles con el cocinero en la escuela.
El médico cocinará arroz con el estudiante en el pueblo mañana.
Los niños jugarán al fútbol con mi hermana en el pueblo el próximo mes.
Pasado mañana los turistas quieren comprar pan con el médico en la estación.
Las mujeres jugarán al fútbol con mi hermana en el jardín el próximo mes.
Mi hija esperará el tren con los turistas en la ciudad mañana.
La maestra quiere leer el periódico con el cocinero en el jardín mañana por la mañana.
Mis amigos vieron una película en la ciudad ayer.
Mi abuela vendió pescado con mis amigos en el mercado anoche.
Anteayer mis amigos leyeron el periódico en la playa.
Mi hermano quiere buscar la llave con nuestros vecinos en casa mañana por la mañana.
Mi hermano leyó una carta con la maestra en la escuela ayer.
Ayer la chica bebió café con el médico bajo el árbol.
Anoche mi abuela comió pescado con mis amigos en la playa.
La próxima semana la chica aprenderá una canción con el médico en casa.
Los niños aprenden inglés con los turistas en la escuela todos los domingos.
Anoche mi hermana aprendió una canción con mis amigos en la escuela.
Las mujeres aprenden matemáticas con mi hermano en la ciudad todas las mañanas.
La próxima semana los turistas comprarán fruta con la chica en la ciudad.
Mi hermano reparará la radio con el cocinero en la playa la próxima semana.
Mañana por la mañana las mujeres quieren vender pescado con mi hija en la playa.
El cocinero cantó una canción con la chica en la escuela el año pasado.
El cocinero cantó una canción con mi hermana en la escuela anteayer.
La semana pasada los turistas vieron un partido de fútbol con el médico en el pueblo.
El estudiante leyó una carta con la maestra en el jardín la semana pasada.
Mis padres leyeron el periódico con la maestra en el hotel la semana pasada.
Mis padres bebieron café con mis amigos en la estación la semana pasada.
Los turistas quieren dibujar el barco con el estudiante en casa mañana por la mañana.
El granjero lavará fruta con mi abuela en el pueblo mañana.
Anteayer nuestros vecinos plantaron flores con mis amigos en la escuela.
Todas las mañanas los niños reparan el barco con el granjero en casa.
La próxima semana mi abuela plantará árboles con mis padres en la escuela.
La semana pasada mi abuela jugó al fútbol en el jardín.
Nuestros vecinos compran leche en la estación todos los domingos.
El médico cantó canciones antiguas con las mujeres en la playa el año pasado.
Anteayer mis amigos escucharon música con mi abuela en casa.
El médico bebe leche con mi hermana en la cocina todos los domingos.
Todos los domingos el cocinero repara la bicicleta con mi hermano en la ciudad.
La maestra esperó el autobús con el médico en el pueblo el año pasado.
La próxima semana nuestros vecinos lavarán fruta en el pueblo.
La chica compró pescado con los niños en el pueblo el año pasado.
El granjero comerá fruta con los niños en el jardín pasado mañana.
La maestra verá un partido de fútbol con las mujeres en la escuela mañana.
El cocinero quiere comer fruta con el estudiante en el mercado mañana.
Todas las mañanas mi hermana busca la llave con el médico en el jardín.
Los niños quieren comprar pescado con mis amigos en la estación el próximo mes.
Mi hija quiere beber agua con mis amigos en el jardín la próxima semana.
Mi hermana compró pescado con el granjero en el mercado la semana pasada.
Mi hermana escribió una carta con mis padres en la escuela ayer.
Los turistas dibujan el barco con mi hija en la escuela todas las mañanas.
El cocinero escribió un cuento con mi hermano en el jardín anteayer.
Mis padres reparan la bicicleta con los niños en la playa todos los domingos.
Nuestros vecinos quieren beber leche en la ciudad el próximo mes.
Todas las noches mis padres plantan árboles con mi hermana en la escuela.
Ayer mis padres plantaron flores con la maestra en el pueblo.
Los niños juegan al fútbol en el pueblo todos los domingos.
Mi hermana tomó fotos con el médico junto al río anoche.
La semana pasada la chica leyó un libro en la playa.
Mis amigos quieren comprar fruta con las mujeres en el mercado mañana.
Mi abuela plantará flores con el cocinero en la escuela la próxima semana.
Los niños compraron leche con la maestra en la estación ayer.
Mis padres quieren escribir un poema con mi hermana en el jardín mañana.
Todas las noches los turistas ven un partido de fútbol con nuestros vecinos en la escuela.
Los turistas escribieron una carta en el jardín la semana pasada.
El cocinero quiere plantar flores con mi hermana en la escuela la próxima semana.
Mi hermana escuchará canciones antiguas en la escuela mañana por la mañana.
Mi hermana aprendió inglés con el granjero en casa el año pasado.
Las mujeres quieren lavar fruta con el granjero en casa pasado mañana.
Mis amigos buscarán la bicicleta con mis padres en el pueblo mañana.
El estudiante escribió un poema en el jardín anoche.
El cocinero cocinó pescado con mi hermano en casa anoche.
Todas las mañanas la chica juega al fútbol con mis padres en el pueblo.
El granjero lavó la bicicleta con mis amigos en casa la semana pasada.
Mañana la maestra beberá café con mis padres en casa.
Mis padres leyeron una carta con los niños en la escuela anoche.
El estudiante esperó el tren con mis amigos en la estación anoche.
El año pasado el cocinero reparó la radio con la maestra en el pueblo.
Mis amigos dibujaron el barco junto al río anoche.
Pasado mañana mi hermana buscará la llave con el médico en el pueblo.
La próxima semana mi hija dibujará una casa con mis amigos en la playa.
Nuestros vecinos comen pescado en el jardín todas las noches.
Pasado mañana mi abuela quiere comprar pescado con mi hermana en la estación.
La semana pasada mi hermana escuchó canciones antiguas en el hotel.
Mañana por la mañana mi hermano quiere reparar la bicicleta en la ciudad.
Las mujeres dibujaron el barco con mi hermana en casa ayer.
El granjero lavó fruta con mi hija junto al río el año pasado.
El año pasado mi hermano escuchó música con los niños en el hotel.
Todos los domingos mi hija repara el barco con nuestros vecinos en casa.
Anoche la chica buscó la llave en el jardín.
Los turistas buscaron la llave con mi hermana junto al río ayer.
La chica buscará agua en el pueblo la próxima semana.
El granjero jugó al fútbol con mis padres en la playa anteayer.
Todos los domingos mi abuela repara la bicicleta en casa.
Mañana por la mañana el estudiante quiere comprar fruta con la maestra en la ciudad.
La chica lavó la bicicleta con la maestra junto al río anoche.
El cocinero quiere leer el periódico con nuestros vecinos en la playa mañana.
Ayer mi hermana plantó árboles con los niños en la escuela.
Mis amigos leyeron un libro bajo el árbol anteayer.
Anoche las mujeres lavaron la bicicleta con los turistas junto al río.
Mi hermano escribe un poema con los niños en casa todas las noches.
El estudiante plantó árboles con mis padres en la escuela anteayer.
Todas las mañanas el estudiante aprende chino con los niños en la escuela.
El estudiante comprará fruta con mis amigos en la estación el próximo mes.
Mi hermana quiere ver un partido de fútbol en la ciudad la próxima semana.
Los turistas leen el periódico con nuestros vecinos en el jardín todos los domingos.
El año pasado los turistas compraron flores con los niños en el mercado.
Mi hermana come pescado con mis amigos en el jardín todas las mañanas.
Mi hermano buscó la bicicleta con el estudiante en casa ayer.
El granjero escuchará las noticias con el cocinero en casa el próximo mes.
Mis amigos compraron fruta en el mercado ayer.
Todas las noches las mujeres buscan la bicicleta con nuestros vecinos en el jardín.
El estudiante vio una película con las mujeres en la ciudad el año pasado.
Mi hermana quiere reparar la radio con mis padres junto al río mañana.
La chica escuchó las noticias con mi abuela en la escuela anoche.
Pasado mañana las mujeres quieren leer un libro con mis amigos bajo el árbol.
Nuestros vecinos cocinan pescado con mi hija en la cocina todos los domingos.
Mi hermana tomará fotos con la chica junto al río la próxima semana.
El estudiante escribió una carta con mis padres bajo el árbol anoche.
Mi hermana compró pan con mi abuela en la estación el año pasado.
La chica quiere cocinar sopa con el médico en casa el próximo mes.
Mi hermana vio un partido de fútbol en el pueblo ayer.
El cocinero come arroz con el estudiante bajo el árbol todas las mañanas.
La chica cocinó sopa con el granjero en la cocina anoche.
Los turistas jugaron al fútbol con las mujeres en el pueblo ayer.
Mi abuela lee el periódico en el hotel todos los domingos.
El estudiante beberá leche con nuestros vecinos en el jardín mañana.
Mañana nuestros vecinos comprarán pan con mi hermano en la estación.
El próximo mes nuestros vecinos quieren cocinar pescado en el hotel.
Mi hermana tomó fotos con la chica en la escuela el año pasado.
Mi hermana ve una película con los niños en la escuela todos los días.
El granjero vendió fruta con mis padres en la ciudad el año pasado.
Mis amigos comerán pan en la escuela la próxima semana.
La próxima semana los turistas quieren cantar canciones antiguas en el jardín.
El próximo mes nuestros vecinos quieren ver una película en la escuela.
Mi hermana vendió pan con los turistas en el pueblo anoche.
Mis padres tomarán fotos en el mercado mañana por la mañana.
El estudiante quiere dibujar una casa con el médico en la escuela la próxima semana.
Los turistas esperaron el autobús en la estación anoche.
Los niños comen arroz con el médico en la escuela todos los días.
Las mujeres vieron un partido de fútbol con el médico en el pueblo la semana pasada.
Todos los días la chica toma fotos con nuestros vecinos en la playa.
Mañana mi hermano escribirá una carta con nuestros vecinos en el jardín.
Anoche mi hermana vio un partido de fútbol con nuestros vecinos en el pueblo.
Mi hermana juega al fútbol con el cocinero en la escuela todos los domingos.
El estudiante quiere beber té con la chica bajo el árbol mañana.
El año pasado mis padres repararon el barco con mis amigos en casa.
El granjero esperó el tren con mi hija en el pueblo anteayer.
Mi hermano toma fotos en la escuela todos los domingos.
La chica come fruta en el hotel todas las noches.
El cocinero cocina pescado con mis amigos en la cocina todos los días.
Las mujeres quieren lavar la bicicleta en el pueblo la próxima semana.
Anoche las mujeres comieron pescado con el estudiante en la escuela.
Todas las mañanas mis padres ven un partido de fútbol en el hotel.
El estudiante dibuja una casa con mis padres junto al río todos los días.
El granjero escribe un poema con mi hermano bajo el árbol todos los domingos.
El estudiante ve una película con mi abuela en la escuela todos los domingos.
Mis amigos dibujarán árboles en la playa el próximo mes.
Todas las noches el estudiante lee un libro con los turistas bajo el árbol.
Mis padres jugarán al fútbol en la escuela mañana por la mañana.
Nuestros vecinos compran flores en la estación todos los domingos.
Mis padres dibujan árboles con mi abuela en casa todas las mañanas.
La maestra toma fotos con el cocinero junto al río todos los días.
La chica venderá fruta en la estación la próxima semana.
La chica lee una carta con mi hermana en la escuela todos los domingos.
El granjero compra fruta con el cocinero en la ciudad todos los días.
Mis amigos escribirán una carta con las mujeres en el jardín mañana por la mañana.
La chica ve un partido de fútbol con la maestra en la ciudad todos los domingos.
Mañana por la mañana mi hermana jugará al fútbol en el pueblo.
El próximo mes el estudiante beberá agua con mi hermano en el hotel.
El cocinero quiere vender leche con mi hija en la playa la próxima semana.
La próxima semana mis amigos comerán arroz con nuestros vecinos en el hotel.
Mis amigos plantaron árboles con mi hermano en el pueblo anoche.
Mis amigos escribirán un poema en casa la próxima semana.
El estudiante cantó una canción con mi hija en la escuela el año pasado.
El próximo mes el médico quiere lavar la bicicleta con el granjero junto al río.
Mis amigos lavaron la bicicleta con los niños en el pueblo ayer.
Mi hermano aprenderá chino en la escuela mañana por la mañana.
Los niños esperan el tren con mis amigos en el pueblo todas las noches.
El año pasado mis amigos leyeron una carta con los niños en el jardín.
Mis amigos quieren aprender matemáticas en la escuela mañana por la mañana.
La maestra plantará árboles con los turistas en la escuela la próxima semana.
Mis padres tomarán fotos en la playa mañana por la mañana.
El granjero busca agua con las mujeres en casa todas las mañanas.
Todas las noches mis amigos plantan flores con las mujeres en el pueblo.
El cocinero jugará al fútbol con el médico en el pueblo pasado mañana.
Todos los domingos mi hija espera el tren con mi abuela en la estación.
Ayer nuestros vecinos leyeron un libro con la maestra bajo el árbol.
El granjero escuchará música con mi hermana en el hotel la próxima semana.
Mis amigos compran fruta con las mujeres en la estación todos los días.
Nuestros vecinos plantaron árboles con el médico en el jardín el año pasado.
La semana pasada nuestros vecinos vieron un partido de fútbol en el pueblo.
Todas las mañanas la maestra lee una carta con el estudiante en la escuela.
Los niños cocinarán pescado con los turistas en el hotel la próxima semana.
La chica quiere buscar agua con mi hermano junto al río pasado mañana.
Los niños lavaron fruta con mis amigos en casa anoche.
Mi hermano bebió agua con mi abuela en la cocina anteayer.
La semana pasada los niños buscaron agua con la maestra en el pueblo.
El granjero vende leche con mis padres en la playa todas las noches.
Mis amigos escucharon las noticias con los niños en la cocina anteayer.
Todas las mañanas mis amigos escriben un cuento con mi abuela en la escuela.
Mi abuela lava fruta con las mujeres junto al río todos los días.
La chica escribió un cuento bajo el árbol la semana pasada.
La maestra escuchó música con el médico en el hotel anteayer.
Ayer el cocinero compró flores con mi hermana en el pueblo.
Los turistas dibujaron una casa en la playa anoche.
Mis amigos escucharon las noticias con el estudiante en el hotel anoche.
La semana pasada mi hermana aprendió matemáticas con las mujeres en la escuela.
Anteayer los niños lavaron fruta con las mujeres en casa.
El cocinero vende flores con mi abuela en la ciudad todas las mañanas.
Mi hermana escribe un cuento con mi hermano en el hotel todos los días.
El cocinero jugará al fútbol con mis padres en el pueblo la próxima semana.
Mi abuela cocinará arroz en el pueblo la próxima semana.
El año pasado mi abuela jugó al fútbol con mi hija en la escuela.
La chica lava la bicicleta con las mujeres junto al río todos los días.
Los turistas verán un partido de fútbol en la escuela la próxima semana.
Las mujeres vieron un partido de fútbol en la ciudad el año pasado.
Anteayer la chica jugó al fútbol con la maestra en el pueblo.
Mi abuela escribirá un cuento con el granjero bajo el árbol pasado mañana.
Todos los domingos nuestros vecinos plantan árboles con el médico en el pueblo.
El cocinero verá un partido de fútbol con los niños en el pueblo el próximo mes.
Mi hermana bebió café con el granjero en el jardín anteayer.
El granjero tomará fotos con los turistas en la ciudad el próximo mes.
Todas las noches mi hermano toma fotos con el estudiante en el jardín.
Todas las noches mi hija vende pescado con mi hermano en la estación.
El cocinero juega al fútbol con los niños en la escuela todas las noches.
Todos los domingos los turistas cantan canciones antiguas con el médico en el jardín.
Anoche mi hija leyó el periódico en el hotel.
Mi hermana plantará árboles con el granjero en el jardín pasado mañana.
La próxima semana las mujeres esperarán el tren en el pueblo.
Todas las noches nuestros vecinos toman fotos en el mercado.
El médico cantará canciones antiguas con la chica en la escuela el próximo mes.
Mis padres juegan al fútbol en el jardín todos los domingos.
El cocinero quiere beber café con mi abuela en la estación el próximo mes.
La chica espera el autobús con las mujeres en la estación todos los días.
La chica tomó fotos con mis amigos en la escuela ayer.
Nuestros vecinos vendieron leche en el mercado ayer.
Anoche mis padres leyeron una carta con mis amigos en la estación.
Mis padres quieren dibujar una casa con la chica en la escuela mañana.
El próximo mes mi hija beberá agua con los niños bajo el árbol.
La próxima semana nuestros vecinos lavarán fruta con los turistas en el pueblo.
Mañana por la mañana los niños quieren aprender chino con el estudiante en la escuela.
Mañana por la mañana los niños jugarán al fútbol con mi hermana en la playa.
El médico ve un partido de fútbol con mis padres en casa todos los domingos.
Mi hermano come pan con los niños en casa todas las noches.
El granjero esperó el autobús con nuestros vecinos en la estación anoche.
Mi hermano reparó el coche con mi hija junto al río anteayer.
El granjero buscó la bicicleta con el médico junto al río anoche.
Nuestros vecinos beben leche en el hotel todas las noches.
La semana pasada mis padres escucharon las noticias en el jardín.
Mañana mi abuela quiere aprender una canción con mi hermano en la escuela.
Todos los domingos los turistas ven una película con mi hermana en el pueblo.
La maestra juega al fútbol con los niños en la escuela todas las noches.
Mañana por la mañana mi hermano aprenderá matemáticas con los niños en casa.
Mañana por la mañana la chica quiere buscar la bicicleta con nuestros vecinos junto al río.
Mi abuela lavará el coche con mi hija junto al río la próxima semana.
Nuestros vecinos esperaron el tren en la ciudad la semana pasada.
Los niños ven un partido de fútbol con mi hija en la ciudad todos los domingos.
Las mujeres tomarán fotos con mis padres en la playa mañana.
Mi hija jugará al fútbol con mis amigos en la escuela mañana por la mañana.
La próxima semana mi hermano verá un partido de fútbol en casa.
Mi hija repara la radio en la playa todos los domingos.
Mi abuela comió fruta con nuestros vecinos en la cocina anoche.
Ayer las mujeres aprendieron chino con mi abuela en la ciudad.
Todas las noches la maestra aprende inglés con la chica en la ciudad.
La semana pasada mis padres escribieron un cuento con la maestra en el jardín.
La semana pasada mi hija compró leche con los niños en el pueblo.
El estudiante vendió pescado con los niños en la estación el año pasado.
Anteayer mis amigos bebieron leche con el médico en el hotel.
Los niños reparan el coche con el médico en el pueblo todos los domingos.
El granjero plantó flores con mi hija en el pueblo anoche.
Nuestros vecinos buscan la bicicleta en el pueblo todos los días.
Mi hermano bebió agua con el cocinero en casa la semana pasada.
Nuestros vecinos quieren reparar la bicicleta en la ciudad el próximo mes.
La maestra cantará una canción con la chica en casa mañana.
Mi hermana quiere reparar la bicicleta en el pueblo mañana por la mañana.
Ayer mis amigos vendieron pescado con mi hermana en el pueblo.
Todos los días el granjero escribe un poema con el cocinero en el jardín.
Nuestros vecinos vendieron pan con el cocinero en la playa anoche.
Mañana por la mañana la maestra jugará al fútbol con los turistas en el pueblo.
El próximo mes mi abuela quiere tomar fotos con nuestros vecinos en la escuela.
Nuestros vecinos leyeron una carta bajo el árbol la semana pasada.
Mis padres esperarán el autobús con el estudiante en el pueblo mañana por la mañana.
Mis amigos cocinaron arroz con mi hermana en la cocina la semana pasada.
El granjero quiere cocinar pescado con el estudiante en casa el próximo mes.
Los turistas toman fotos en el jardín todos los domingos.
El médico vendió pan con mi hija en la estación la semana pasada.
Anoche mi abuela vendió pescado con los niños en la estación.
Pasado mañana los turistas repararán la bicicleta con las mujeres en la playa.
Nuestros vecinos plantaron flores con mi hermana en el jardín ayer.
Ayer nuestros vecinos tomaron fotos con las mujeres en la ciudad.
Mi hija aprendió una canción en la escuela la semana pasada.
El médico juega al fútbol con mi hermano en la escuela todas las mañanas.
Todos los domingos mi hermana espera el tren con el cocinero en la estación.
Todas las noches mi abuela lava el coche con las mujeres junto al río.
Anoche mi hermano comió arroz en la playa.
El médico esperará el autobús en la ciudad mañana por la mañana.
Mi hermana escribió un poema con los turistas bajo el árbol ayer.
El próximo mes los niños cocinarán pescado con mi hija en casa.
El granjero juega al fútbol con las mujeres en el jardín todos los domingos.
Anteayer mi abuela tomó fotos con mi hermano junto al río.
Todas las mañanas el cocinero repara el coche con el estudiante en la playa.
Anoche mis amigos jugaron al fútbol en la escuela.
La maestra compra pescado con la chica en el pueblo todas las mañanas.
La próxima semana los turistas quieren lavar fruta con mi hermana junto al río.
El médico plantará árboles con los turistas en el jardín el próximo mes.
Todos los domingos mi hermano ve un partido de fútbol en el pueblo.
Los turistas buscaron la llave con el granjero en el jardín ayer.
La próxima semana mi hermana comprará pan con mi hermano en la estación.
El cocinero buscará la bicicleta con la maestra en casa la próxima semana.
Mañana por la mañana mi hermana quiere dibujar árboles con el médico en la playa.
Las mujeres esperaron el autobús en la ciudad la semana pasada.
Mañana por la mañana mis amigos esperarán el autobús en la ciudad.
El año pasado el cocinero dibujó una casa con mi hermana en el jardín.
Mis padres dibujaron flores con el estudiante junto al río ayer.
Todos los domingos los turistas lavan la bicicleta con el granjero junto al río.
Mis padres dibujaron una casa en casa anoche.
Mi hija escribirá un cuento con los turistas en la escuela mañana.
Nuestros vecinos quieren comprar fruta con la chica en el mercado la próxima semana.
Las mujeres cocinaron pescado con mi hermano en casa ayer.
El estudiante escucha canciones antiguas con mis padres en el jardín todos los domingos.
Anteayer la maestra vio un partido de fútbol con mis amigos en casa.
Mañana los niños aprenderán una canción con los turistas en la escuela.
Nuestros vecinos escucharán música con mi hija en la estación mañana.
La próxima semana nuestros vecinos aprenderán matemáticas con los turistas en la escuela.
Mi hermana vio una película en la escuela ayer.
Las mujeres esperaron el tren con la maestra en el pueblo anteayer.
El médico escribe una carta con mi abuela bajo el árbol todos los domingos.
Todas las noches el cocinero lee un libro con el médico en el jardín.
Los niños comerán pan con el médico en la cocina la próxima semana.
Anteayer el cocinero leyó una carta con mi hermano en la escuela.
El estudiante quiere esperar el autobús en la ciudad la próxima semana.
La chica bebe leche con mi hermano en la estación todas las noches.
Ayer mi abuela cantó canciones antiguas con mi hermano en casa.
El año pasado mi hermano comió fruta con nuestros vecinos bajo el árbol.
Mi abuela quiere cantar canciones antiguas en la escuela mañana por la mañana.
El estudiante aprendió chino con las mujeres en casa el año pasado.
Nuestros vecinos lavan la bicicleta en casa todas las noches.
Pasado mañana mi hija quiere cocinar pescado con mis padres en la cocina.
El próximo mes mis padres comprarán leche con el médico en la estación.
Todas las noches mi hermana aprende matemáticas con nuestros vecinos en la escuela.
Las mujeres quieren esperar el autobús en la estación el próximo mes.
Mis amigos quieren esperar el tren con las mujeres en la ciudad mañana por la mañana.
Todos los días nuestros vecinos leen un libro con la maestra bajo el árbol.
Mis padres vendieron fruta con los turistas en la playa anoche.
Mis amigos quieren cocinar sopa con la chica en el pueblo mañana.
Todos los domingos mi hija compra pescado con mi abuela en la estación.
Mis amigos jugaron al fútbol en el pueblo ayer.
Mi hermana escuchará música en la cocina la próxima semana.
El año pasado el estudiante vio un partido de fútbol en el pueblo.
Mis padres cantaron una canción con mis amigos bajo el árbol la semana pasada.
Anteayer mis amigos plantaron flores con los turistas en el pueblo.
Mis amigos jugarán al fútbol en el jardín la próxima semana.
Mis amigos esperan el autobús con nuestros vecinos en el pueblo todas las mañanas.
Los turistas quieren ver un partido de fútbol con el médico en el hotel mañana.
El estudiante vendió leche con el médico en el pueblo el año pasado.
Mañana mi hermana verá un partido de fútbol con mis amigos en la ciudad.
Todas las noches la chica canta canciones antiguas con el estudiante en la playa.
Todos los domingos el cocinero busca la bicicleta en el pueblo.
Las mujeres cantaron una canción con el cocinero en la playa ayer.
Mi hermano jugó al fútbol con mi hermana en la playa anoche.
La chica vio un partido de fútbol en la escuela la semana pasada.
Los turistas leerán un libro con mis amigos en la estación pasado mañana.
Nuestros vecinos venderán pan en el pueblo el próximo mes.
Mañana mi hermana beberá café con la chica en la estación.
Nuestros vecinos jugaron al fútbol con mi hermano en la playa anoche.
Los niños plantaron flores con el granjero en el jardín anoche.
Todos los días la maestra bebe té con el estudiante en el hotel.
La maestra bebió leche con mis amigos bajo el árbol anoche.
El médico vende pan con mi hermano en la playa todos los días.
Mi abuela lee una carta con las mujeres bajo el árbol todas las noches.
Anoche mis padres escucharon canciones antiguas con el granjero en la estación.
Todas las mañanas el médico planta árboles con mi hija en el pueblo.
Mis padres plantarán árboles con el cocinero en el pueblo la próxima semana.
La maestra escribirá un cuento con los turistas en casa el próximo mes.
Todos los domingos la maestra repara el barco con la chica en la playa.
Mis padres quieren buscar agua con el estudiante en casa mañana por la mañana.
Pasado mañana mi abuela quiere lavar fruta con mi hermano en casa.
Anteayer el granjero aprendió chino con mi abuela en la ciudad.
Mañana por la mañana el granjero quiere comprar leche con mis amigos en la estación.
La chica cocinó pescado con el médico en la cocina ayer.
Todos los días el cocinero come pescado con el estudiante en la cocina.
Los turistas venderán pan con el granjero en la ciudad el próximo mes.
Mi hermana quiere tomar fotos con mis padres junto al río mañana por la mañana.
Las mujeres escribieron una carta con los niños en la escuela el año pasado.
La próxima semana el granjero quiere lavar fruta con mi hermano en el pueblo.
La maestra aprende matemáticas con el médico en casa todas las mañanas.
Todos los domingos mi hija lee un libro con los niños en la estación.
Todos los domingos mis padres reparan la radio con el granjero en la playa.
La próxima semana los niños quieren cantar canciones antiguas con mi abuela en casa.
Nuestros vecinos tomaron fotos en el mercado ayer.
Mi hija reparó la radio con mi abuela en el pueblo anoche.
El estudiante reparará la radio con las mujeres en la playa el próximo mes.
Los niños ven un partido de fútbol con mi hija en la ciudad todos los días.
Los turistas quieren buscar la bicicleta con la chica en casa mañana.
La chica toma fotos en la escuela todos los domingos.
Mañana nuestros vecinos quieren comer arroz con mi hermana en casa.
La próxima semana las mujeres venderán leche en la playa.
El año pasado el médico cocinó pescado con la chica en el pueblo.
El granjero quiere buscar la llave con mi hija en casa pasado mañana.
La maestra esperará el autobús con mi hija en la estación mañana por la mañana.
Pasado mañana nuestros vecinos venderán pescado con la chica en la estación.
Las mujeres cantan canciones antiguas con mi hermana en el pueblo todos los domingos.
La chica plantó flores con el estudiante en el pueblo anoche.
Mis amigos dibujaron una casa con el estudiante en el jardín anteayer.
Los turistas tomarán fotos con el granjero en la escuela el próximo mes.
Mi abuela escribió un poema con la maestra en el jardín ayer.
Mis amigos quieren jugar al fútbol con la chica en la playa pasado mañana.
Las mujeres quieren esperar el tren con mi hermano en el pueblo mañana por la mañana.
Anteayer mi abuela buscó la llave con mi hermana en el pueblo.
La semana pasada la chica bebió café bajo el árbol.
Las mujeres esperaron el autobús en la estación anoche.
Mis amigos repararon la bicicleta con mi hermana en la ciudad la semana pasada.
Mañana por la mañana el granjero quiere ver una película con la maestra en casa.
Mis padres comprarán fruta en el pueblo mañana por la mañana.
La próxima semana mi hermano quiere vender pescado con nuestros vecinos en el mercado.
Mi hija plantó flores con los niños en el jardín anoche.
Mi hermana escribió un cuento en el hotel ayer.
La chica verá una película con el estudiante en casa pasado mañana.
Mis amigos jugarán al fútbol en la escuela pasado mañana.
Mis amigos comieron pescado con mi hermana en casa la semana pasada.
Las mujeres aprendieron inglés con mis padres en la ciudad el año pasado.
Mañana la chica quiere vender pan con mi hermano en el mercado.
El año pasado mis padres vendieron pan con mi abuela en el pueblo.
El estudiante lava la bicicleta con el granjero en el pueblo todos los días.
Los niños toman fotos con el cocinero en el jardín todas las mañanas.
Mis padres leerán el periódico con mi hija bajo el árbol mañana por la mañana.
Todos los domingos mi hermano ve una película en el hotel.
La semana pasada mis amigos esperaron el autobús con mi hija en la estación.
Mi hermana compró pan con el médico en la estación el año pasado.
Anteayer mi hija leyó un libro con la maestra en la escuela.
Todas las noches mi hermana escucha las noticias con el médico en casa.
Nuestros vecinos toman fotos en la playa todos los domingos.
Todos los domingos mis amigos buscan agua junto al río.
Los turistas plantarán flores con mis padres en la escuela el próximo mes.
La maestra compra fruta con nuestros vecinos en la ciudad todas las noches.
El estudiante dibuja el barco con mis padres junto al río todas las mañanas.
Mi hermano bebió leche con mis padres en casa ayer.
Nuestros vecinos dibujaron el barco en casa la semana pasada.
Mañana por la mañana los niños quieren jugar al fútbol con mi hermana en el jardín.
Todas las noches el cocinero canta una canción con mis padres bajo el árbol.
La chica buscó la bicicleta en casa la semana pasada.
Los turistas aprendieron chino con nuestros vecinos en la escuela ayer.
La semana pasada mis padres dibujaron una casa con mi hermano junto al río.
Todas las mañanas nuestros vecinos reparan el barco con la maestra en la ciudad.
Mis amigos lavaron la bicicleta con los turistas junto al río ayer.
Mis amigos esperaron el tren con las mujeres en la ciudad ayer.
La maestra espera el tren con mis amigos en la estación todas las noches.
Anoche la chica escuchó música con nuestros vecinos en el jardín.
La semana pasada mi hermano cantó canciones antiguas en el jardín.
La chica cantó una canción con la maestra en la escuela anteayer.
Mis amigos quieren reparar la radio en la playa pasado mañana.
Mis amigos venden pescado con el estudiante en la playa todas las noches.
El médico escribe un poema con mi hermano en la escuela todas las mañanas.
Mi hija cocinó pescado con mis amigos en la cocina el año pasado.
El granjero aprendió una canción con el médico en la ciudad anoche.
Mis amigos vieron una película en casa el año pasado.
Los niños quieren beber agua con nuestros vecinos en el hotel mañana.
Mis amigos tomaron fotos junto al río anoche.
Los turistas ven un partido de fútbol con los niños en el hotel todas las mañanas.
Mi abuela escribirá una carta con mi hija en el jardín el próximo mes.
Mi hermano toma fotos con mis amigos en la escuela todos los domingos.
La próxima semana la maestra comerá pescado con mis amigos bajo el árbol.
Todos los domingos el médico dibuja flores con las mujeres en la playa.
Mañana la chica esperará el autobús con mi hermana en la ciudad.
El granjero dibujó flores con mis amigos en casa la semana pasada.
Mis amigos cantaron canciones antiguas con el cocinero en la playa la semana pasada.
La chica cocinó pescado en el pueblo anoche.
El próximo mes el estudiante beberá té con los niños en la cocina.
Mis padres vieron una película con las mujeres en el pueblo el año pasado.
Mi hermana quiere comer fruta en el hotel mañana por la mañana.
El estudiante vendió fruta con los turistas en la ciudad la semana pasada.
Los turistas vieron un partido de fútbol en la escuela el año pasado.
Ayer el cocinero leyó el periódico con el médico en casa.
El cocinero aprenderá matemáticas con el estudiante en la escuela el próximo mes.
Ayer mi hermana compró pan con nuestros vecinos en la estación.
Mi hermano dibujó el barco con los niños en el jardín ayer.
Los niños verán un partido de fútbol con el cocinero en casa mañana por la mañana.
Nuestros vecinos esperaron el tren en la ciudad anoche.
La chica esperará el autobús con el cocinero en el pueblo mañana por la mañana.
Los niños esperan el autobús con la maestra en el pueblo todas las mañanas.
Mis padres lavaron fruta con nuestros vecinos en el pueblo ayer.
La próxima semana mi abuela quiere comprar pescado con los niños en la ciudad.
El cocinero cocinó pescado con mi abuela junto al río el año pasado.
Nuestros vecinos lavaron fruta en casa anoche.
El granjero escucha las noticias con nuestros vecinos en el hotel todos los días.
Ayer nuestros vecinos dibujaron flores con los niños en el jardín.
La semana pasada mi abuela reparó el barco con mi hermano en la playa.
La chica reparará la bicicleta con mis amigos en la playa pasado mañana.
Anteayer los turistas comieron pan con nuestros vecinos en la cocina.
Los niños dibujaron una casa con mis padres junto al río anteayer.
El cocinero beberá té con las mujeres bajo el árbol mañana.
La chica esperará el tren en la estación la próxima semana.
Las mujeres ven un partido de fútbol con mis padres en el pueblo todos los días.
Los niños dibujaron el barco con mi hermana en la playa anteayer.
El cocinero escribe una carta con el estudiante en el jardín todos los días.
Anoche el granjero esperó el autobús con mi abuela en el pueblo.
Mi hermano canta canciones antiguas con mis amigos en el pueblo todas las noches.
Todos los domingos mi hija dibuja flores con las mujeres en el jardín.
Mi hija quiere leer una carta con la chica en casa el próximo mes.
Mi abuela quiere ver un partido de fútbol en la escuela pasado mañana.
La chica leyó el periódico en la playa anoche.
Mi hermano ve un partido de fútbol en la escuela todas las mañanas.
Mis padres buscan agua con el granjero en el jardín todas las mañanas.
La próxima semana mi hija escuchará las noticias en el hotel.
Mañana por la mañana los turistas quieren escribir un cuento con mis amigos en el jardín.
Los turistas quieren lavar fruta con mi hermana en casa pasado mañana.
El médico reparó la radio con mi hija en la playa anteayer.
Mis amigos escucharán las noticias con la maestra en la cocina mañana por la mañana.
Los turistas dibujarán flores con nuestros vecinos en el jardín la próxima semana.
Mi hermana espera el autobús con el estudiante en la ciudad todos los días.
Anoche mis amigos bebieron té en la cocina.
Mañana por la mañana mis padres quieren plantar árboles con mi hermano en la escuela.
Los niños repararon el coche con mi hermano en la ciudad el año pasado.
Mi hija quiere esperar el tren con el médico en la estación mañana por la mañana.
La semana pasada los turistas jugaron al fútbol en la playa.
Mis amigos juegan al fútbol en el jardín todas las mañanas.
El próximo mes mi abuela lavará la bicicleta con el granjero en casa.
Mi hija vende pan con el médico en la estación todas las mañanas.
Los turistas comen pescado con el médico en casa todos los domingos.
Mañana por la mañana los turistas leerán el periódico con mis padres en el hotel.
El granjero escuchará las noticias con el estudiante en la escuela el próximo mes.
Todas las noches mis amigos cantan canciones antiguas bajo el árbol.
Los turistas cantarán canciones antiguas con las mujeres en el jardín mañana por la mañana.
La chica leyó el periódico en casa la semana pasada.
Mi hermana lee un libro con los turistas bajo el árbol todos los domingos.
Mi hermano lavará el coche con la chica en casa mañana.
La próxima semana mi hija quiere comer fruta en el hotel.
Mi hermana reparará la bicicleta con el cocinero en casa mañana.
Nuestros vecinos plantarán flores en la escuela mañana por la mañana.
Ayer los niños tomaron fotos con la maestra junto al río.
La chica venderá leche con el estudiante en el pueblo pasado mañana.
Mis amigos escribieron un poema con el estudiante en el jardín anoche.
Mañana por la mañana las mujeres quieren ver una película con mis amigos en casa.
Nuestros vecinos escriben un poema con mi abuela en casa todos los domingos.
Todos los domingos mi hija lee el periódico en la playa.
El año pasado el médico escribió un poema con el granjero en la escuela.
La chica escribe una carta con mi hermana en casa todos los domingos.
Los turistas venderán leche en la playa la próxima semana.
La chica lava la bicicleta con mis padres en casa todos los días.
Todas las mañanas mi hija repara la bicicleta con la chica en la ciudad.
Anteayer los niños compraron flores con nuestros vecinos en la ciudad.
El cocinero plantó flores con mis amigos en la escuela anteayer.
Mañana por la mañana mis padres quieren ver una película con los niños en la escuela.
Mi abuela cocinará arroz con el granjero junto al río el próximo mes.
Mi hermano quiere escuchar canciones antiguas con mis amigos en la escuela mañana por la mañana.
Los turistas juegan al fútbol con el estudiante en la playa todas las mañanas.
Los turistas cocinan sopa con nuestros vecinos en el pueblo todos los domingos.
La chica aprendió matemáticas con el cocinero en la ciudad anoche.
La semana pasada mis amigos vendieron pan en el mercado.
Mi hermano dibujó el barco con los niños en la escuela anteayer.
Mi hija jugará al fútbol en el pueblo la próxima semana.
El cocinero venderá pan con nuestros vecinos en el pueblo el próximo mes.
Todos los días mis amigos buscan la bicicleta con los turistas en casa.
Mi hija venderá leche con el médico en el mercado mañana.
La semana pasada el estudiante esperó el autobús en el pueblo.
Los niños quieren beber agua con mi hija en la estación mañana.
Las mujeres leyeron un libro con el cocinero bajo el árbol anoche.
El próximo mes la chica quiere tomar fotos con el médico en la escuela.
Mañana por la mañana mis amigos jugarán al fútbol con los niños en el pueblo.
Mi hermana comprará flores con mi hija en el pueblo mañana por la mañana.
Anoche el médico dibujó el barco con la maestra en la escuela.
Mañana mi hermano comprará pescado con mis amigos en la estación.
Nuestros vecinos leyeron el periódico con los turistas en casa anoche.
Pasado mañana el médico plantará flores con la maestra en la escuela.
La próxima semana los niños quieren dibujar flores con el granjero junto al río.
El granjero tomó fotos con los niños junto al río ayer.
Nuestros vecinos compran pescado en el mercado todos los domingos.
El próximo mes mi hermano buscará la llave con la maestra en el pueblo.
Mi hija compró fruta con mi hermana en el mercado el año pasado.
Todas las noches el granjero busca la bicicleta con los turistas en el pueblo.
Todos los domingos la maestra canta canciones antiguas con mis padres en el jardín.
Mi hermana repara la bicicleta con mi hija en el pueblo todos los domingos.
El granjero escribió un cuento con mi abuela en el jardín ayer.
Mis amigos quieren comer pan en la playa la próxima semana.
Todas las noches las mujeres reparan la radio con mi hermana en el pueblo.
Mi abuela lava la bicicleta con mi hija en casa todos los domingos.
Los niños repararon el coche con los turistas junto al río ayer.
Mis padres vendieron pescado con el cocinero en el pueblo anteayer.
Nuestros vecinos quieren cocinar pescado con los turistas en el pueblo pasado mañana.
El cocinero lee una carta con mi abuela en la estación todas las noches.
La chica aprenderá matemáticas en la escuela la próxima semana.
Mi abuela escuchó música con el granjero en la escuela la semana pasada.
Los niños quieren vender leche en la playa la próxima semana.
Mi hermana jugó al fútbol en la escuela anoche.
La chica cantó una canción con el cocinero bajo el árbol anteayer.
El granjero tomó fotos con las mujeres en la ciudad anoche.
Las mujeres escuchan canciones antiguas con mis amigos en casa todos los días.
El próximo mes mi abuela buscará la bicicleta con mis padres junto al río.
Los turistas escribieron un cuento en el jardín la semana pasada.
Mi hermana escribirá un cuento con el cocinero bajo el árbol el próximo mes.
La chica cocinó pescado con los niños en casa la semana pasada.
Mi hermano quiere plantar flores con mis amigos en el jardín el próximo mes.
Anoche mi hermana bebió té con mis amigos en casa.
Ayer mi hermana reparó la bicicleta con mis amigos en casa.
Anoche el médico escribió un cuento bajo el árbol.
Mis amigos toman fotos en la playa todos los domingos.
El año pasado el granjero plantó árboles con nuestros vecinos en el pueblo.
Todos los días las mujeres dibujan una casa con mi hija en el jardín.
El granjero quiere jugar al fútbol con el médico en la playa pasado mañana.
Mi abuela buscará la bicicleta con mi hermano en casa la próxima semana.
Mis amigos cantaron una canción con las mujeres en casa el año pasado.
Mi abuela comió pan en la cocina anoche.
Mi hija cantó canciones antiguas con las mujeres en la playa el año pasado.
La chica vio una película con mi hija en la escuela anoche.
El estudiante quiere comprar flores con el médico en el pueblo mañana por la mañana.
La maestra escuchó canciones antiguas con los turistas en la escuela el año pasado.
La maestra cantó una canción con mi hija bajo el árbol ayer.
Los turistas cocinan sopa con mi hermana en casa todos los domingos.
Mi abuela quiere plantar árboles con mis padres en la escuela mañana por la mañana.
El médico vio un partido de fútbol en casa ayer.
Todas las mañanas los niños juegan al fútbol con nuestros vecinos en la playa.
Nuestros vecinos juegan al fútbol con las mujeres en la playa todas las noches.
Los turistas cocinaron arroz en la cocina anoche.
Los niños cocinan pescado con mis amigos en el pueblo todos los días.
Todos los días los niños escuchan las noticias con la maestra en el hotel.
Todos los domingos la chica dibuja una casa junto al río.
La maestra dibujará el barco con nuestros vecinos en casa el próximo mes.
Mi hermano esperará el tren con el cocinero en la estación pasado mañana.
Todos los días la chica cocina pescado con el granjero junto al río.
Todos los domingos el médico canta canciones antiguas con los niños bajo el árbol.
La maestra escribirá una carta con mi hermano bajo el árbol el próximo mes.
La semana pasada mis padres tomaron fotos con el médico junto al río.
El granjero buscó agua con mi hermano en el jardín anteayer.
Las mujeres beberán té con el granjero en la ciudad el próximo mes.
Mañana mi abuela quiere vender pescado con las mujeres en la playa.
Todos los días nuestros vecinos juegan al fútbol con los turistas en la escuela.
El granjero aprende inglés con mi hermana en la ciudad todas las mañanas.
La semana pasada mi hermana tomó fotos en la playa.
Nuestros vecinos comen fruta bajo el árbol todas las mañanas.
La chica reparará el coche con los niños en la ciudad mañana.
Mi hermana repara la radio junto al río todos los domingos.
Los turistas leen una carta con la chica en la playa todos los días.
Anoche las mujeres plantaron árboles con la chica en el pueblo.
Mi hija escuchó las noticias en la cocina anoche.
Mi hermano dibujó flores con la maestra en el jardín anoche.
El cocinero come pan con mi hija en la escuela todos los domingos.
Pasado mañana mis padres jugarán al fútbol con la maestra en la playa.
Mis padres cocinaron pescado con mis amigos en casa anoche.
Mañana el granjero comerá fruta con mi abuela en el jardín.
Mis amigos quieren jugar al fútbol con mi abuela en la playa la próxima semana.
Todas las noches mi hermana dibuja el barco con mi hermano en casa.
El próximo mes mis padres quieren plantar flores con el estudiante en el jardín.
El estudiante cocinó arroz con la chica junto al río ayer.
Mi hermana escucha música con los niños en el hotel todos los domingos.
Mis padres bebieron café con las mujeres en casa anteayer.
Mis padres buscaron la llave con mi abuela junto al río el año pasado.
Mi hermano cocinó sopa con mi hija en casa el año pasado.
El médico juega al fútbol con mi abuela en la playa todas las mañanas.
Mis padres quieren ver un partido de fútbol con los niños en la ciudad mañana.
Nuestros vecinos escucharán las noticias con las mujeres en la cocina la próxima semana.
Mañana los niños quieren buscar la bicicleta con la maestra en el jardín.
El granjero cocina arroz con los niños junto al río todos los días.
Todas las mañanas mi hija come fruta con los niños en el hotel.
Las mujeres tomaron fotos con el granjero en la playa ayer.
Mi hermana verá un partido de fútbol en el hotel pasado mañana.
Mis amigos lavan fruta junto al río todas las noches.
El estudiante lavó el coche con la chica en el pueblo el año pasado.
Nuestros vecinos venderán pescado en el pueblo la próxima semana.
Las mujeres dibujaron una casa con nuestros vecinos en la playa anteayer.
La chica escuchó las noticias bajo el árbol anoche.
Mi hermana comprará fruta en el pueblo la próxima semana.
Todos los días los niños cantan canciones antiguas con mi abuela en casa.
Todos los domingos el granjero vende pan con el cocinero en la playa.
Los niños venden fruta con mi abuela en la estación todos los días.
Mis amigos escuchan música con mi abuela en el jardín todos los días.
Las mujeres tomaron fotos en el mercado la semana pasada.
Mis amigos venderán pescado en el mercado mañana por la mañana.
Todas las noches mi hermana escucha las noticias con mis amigos en el jardín.
Mis amigos escribieron un poema con el cocinero en la escuela el año pasado.
Todas las noches los turistas venden pescado con el médico en la ciudad.
Mañana mi abuela venderá leche con la chica en la playa.
Anteayer las mujeres tomaron fotos con mis amigos en la escuela.
La semana pasada el médico comió pescado con la maestra en el mercado.
El próximo mes nuestros vecinos venderán pan en la playa.
Mis amigos quieren aprender matemáticas con el médico en casa mañana por la mañana.
Nuestros vecinos esperaron el tren con las mujeres en la ciudad anoche.
Mis padres lavan el coche con la maestra en casa todos los domingos.
La próxima semana los niños quieren escribir una carta con el estudiante en casa.
Todas las mañanas la maestra compra pan con mis padres en la ciudad.
El cocinero reparará la radio con la maestra en el pueblo el próximo mes.
Mi hija verá un partido de fútbol con mi hermana en el hotel el próximo mes.
El granjero espera el tren con nuestros vecinos en la estación todas las noches.
Mi abuela beberá café con mis amigos en la ciudad mañana.
El estudiante busca la bicicleta con las mujeres en casa todas las mañanas.
Nuestros vecinos quieren jugar al fútbol en la playa el próximo mes.
La semana pasada mis amigos escribieron una carta en casa.
El estudiante vio una película con mi hermano en el hotel el año pasado.
Mi hermana come pan con el estudiante en casa todas las noches.
Todos los domingos las mujeres cantan una canción con mis padres en el jardín.
La chica esperó el autobús en la ciudad la semana pasada.
Los niños plantarán árboles con las mujeres en el jardín mañana.
Pasado mañana el médico quiere escuchar música con el estudiante en el jardín.
Pasado mañana mi hermano quiere esperar el autobús con nuestros vecinos en la estación.
Todos los días los turistas comen pescado con mis amigos en la escuela.
La maestra repara la bicicleta con mi abuela en el pueblo todos los domingos.
Los turistas quieren plantar árboles con el granjero en la escuela mañana por la mañana.
La semana pasada el granjero bebió café con mis amigos en la cocina.
Mañana por la mañana mis amigos comprarán fruta con el estudiante en el pueblo.
Ayer mis amigos cocinaron pescado con los turistas junto al río.
Mis amigos escribieron un cuento en la escuela ayer.
Mis amigos cantaron una canción con nuestros vecinos en la playa la semana pasada.
Nuestros vecinos ven un partido de fútbol en la escuela todos los domingos.
Anoche el estudiante comió arroz con mi hermano en la cocina.
Las mujeres leen una carta con los turistas en casa todas las noches.
Mis amigos quieren ver un partido de fútbol con mi abuela en el pueblo pasado mañana.
Mi abuela aprendió una canción en la ciudad anoche.
Mi hija quiere beber café con el médico en la ciudad pasado mañana.
Mañana el médico quiere jugar al fútbol con mis amigos en la escuela.
Todos los días mi hija cocina pescado con el estudiante junto al río.
Mis amigos tomaron fotos en la escuela la semana pasada.
El cocinero repara el coche con mis padres en la playa todos los días.
El granjero lava el coche con mis padres en casa todos los domingos.
La chica cantó una canción con la maestra en el pueblo ayer.
La semana pasada mi hermano comió arroz con la chica en la cocina.
Mis amigos escribieron un poema en la escuela la semana pasada.
Todas las noches mi abuela lava la bicicleta en el pueblo.
Todas las mañanas mis padres juegan al fútbol con la maestra en la escuela.
El estudiante leyó el periódico con la chica bajo el árbol ayer.
Nuestros vecinos quieren escuchar canciones antiguas en la escuela el próximo mes.
El cocinero tomó fotos con el granjero en la ciudad ayer.
Nuestros vecinos cantan una canción con los turistas en el pueblo todas las noches.
La maestra escucha las noticias con la chica en el jardín todas las noches.
El año pasado mis amigos compraron leche con nuestros vecinos en el pueblo.
Los niños quieren dibujar una casa con el granjero en la playa mañana por la mañana.
Mis padres bebieron agua con los niños en casa anoche.
El año pasado mis amigos dibujaron el barco con mi hermana en el jardín.
La chica bebe café con los turistas en casa todos los días.
Mi hija buscó agua con mi abuela en el jardín anteayer.
Mi hermana quiere ver una película con el granjero en la ciudad mañana.
El cocinero aprendió chino con mi hija en casa el año pasado.
Mi hija quiere comprar pescado con los niños en la ciudad pasado mañana.
El granjero vende fruta con mis amigos en el mercado todas las mañanas.
El próximo mes mis padres comerán arroz con el estudiante en el mercado.
Los turistas quieren escribir un poema con mi abuela en la escuela la próxima semana.
Todas las mañanas mis amigos comen arroz bajo el árbol.
Los turistas esperaron el autobús con mi hermano en el pueblo anteayer.
La semana pasada la chica leyó una carta con nuestros vecinos en casa.
Mis amigos repararon la radio en casa la semana pasada.
Nuestros vecinos buscaron la bicicleta con mi hermano en casa anoche.
El próximo mes el granjero verá una película con mis amigos en el pueblo.
Mi hija verá un partido de fútbol con mis padres en la escuela la próxima semana.
La chica bebió café con mi hermana en la estación la semana pasada.
Las mujeres cantaron una canción con la maestra en la escuela anteayer.
Mañana mi hija quiere plantar árboles con nuestros vecinos en el pueblo.
Nuestros vecinos juegan al fútbol con el granjero en el pueblo todas las mañanas.
Los niños dibujarán árboles con el cocinero en la playa la próxima semana.
Los turistas jugaron al fútbol en la escuela anoche.
El estudiante espera el autobús en el pueblo todas las noches.
La semana pasada nuestros vecinos buscaron la bicicleta con mi hija en el pueblo.
Mi hija lava la bicicleta con el médico en casa todas las noches.
La semana pasada mi abuela leyó una carta con el médico en el jardín.
El médico ve una película con la maestra en el pueblo todos los domingos.
La próxima semana las mujeres quieren jugar al fútbol en el pueblo.
Mis amigos plantaron flores con el estudiante en la escuela anteayer.
La chica quiere comer pan en la escuela la próxima semana.
El año pasado el médico compró flores con mi hermana en la estación.
La chica cantó canciones antiguas con los turistas en casa el año pasado.
Mi hermano lava el coche con mi hija junto al río todas las mañanas.
La semana pasada mi hermano tomó fotos con mi hermana junto al río.
La maestra cantó canciones antiguas con el médico bajo el árbol anteayer.
Mi hermano aprende chino con mi hermana en casa todas las noches.
Los turistas lavarán el coche con mis padres en el pueblo pasado mañana.
Anteayer los niños tomaron fotos con el estudiante junto al río.
Los niños cocinaron arroz en el pueblo anoche.
Todas las mañanas nuestros vecinos juegan al fútbol con mis padres en el pueblo.
Anoche el cocinero plantó árboles con mi abuela en la escuela.
Mis amigos aprendieron matemáticas en la ciudad la semana pasada.
Los niños quieren cantar una canción con mi hija en casa la próxima semana.
Ayer mis padres vendieron flores con el estudiante en la estación.
Las mujeres toman fotos en la playa todos los domingos.
Mis padres tomaron fotos en la playa anoche.
Los turistas quieren tomar fotos con mis padres junto al río pasado mañana.
La semana pasada la chica cantó canciones antiguas en el pueblo.
Todos los días mis amigos toman fotos con la maestra en la escuela.
Las mujeres tomaron fotos con la maestra en la playa la semana pasada.
Mi abuela leyó una carta con el granjero bajo el árbol anoche.
El cocinero leyó un libro con las mujeres en la playa ayer.
El granjero vende pescado con el estudiante en el pueblo todos los domingos.
Mis amigos escriben una carta con los turistas bajo el árbol todas las noches.
La maestra tomó fotos con el granjero en el mercado ayer.
Nuestros vecinos juegan al fútbol en la escuela todas las noches.
La maestra aprenderá una canción con mis amigos en casa mañana.
Las mujeres leerán un libro con mi hija en el jardín mañana.
Los niños reparan el barco con mis padres en casa todas las mañanas.
Las mujeres jugarán al fútbol con la maestra en la escuela el próximo mes.
La chica lavó el coche con el médico junto al río la semana pasada.
Nuestros vecinos quieren escuchar música con los niños en casa la próxima semana.
Nuestros vecinos leen una carta con mis amigos en la estación todos los días.
El médico dibujará árboles con mi abuela en la playa el próximo mes.
El estudiante vendió pescado con mis amigos en el mercado anoche.
Mi hermano leerá una carta con las mujeres en la escuela mañana.
Todas las noches la maestra repara el coche con mi hija en el pueblo.
Mañana el cocinero quiere vender fruta con mi hija en el mercado.
Nuestros vecinos esperarán el tren en la estación mañana por la mañana.
Mis padres quieren plantar flores con el cocinero en la escuela pasado mañana.
Todos los domingos nuestros vecinos ven una película en el pueblo.
Mis padres compraron flores con el estudiante en la ciudad anoche.
Mis amigos toman fotos con nuestros vecinos junto al río todos los domingos.
Los turistas esperaron el autobús con la chica en la ciudad la semana pasada.
El médico verá un partido de fútbol con mis padres en el hotel el próximo mes.
Nuestros vecinos leyeron una carta en la playa el año pasado.
Los niños plantaron flores con mis amigos en la escuela anoche.
Mis amigos compraron flores en el mercado la semana pasada.
Los turistas lavan fruta con la chica en casa todos los días.
Las mujeres esperaron el autobús en la estación la semana pasada.
El cocinero cantó canciones antiguas con las mujeres en el jardín anoche.
Mi hermano compra pescado con mis padres en el pueblo todos los domingos.
Nuestros vecinos dibujaron árboles en casa anoche.
Pasado mañana los turistas jugarán al fútbol con los niños en la escuela.
Los turistas escucharon las noticias con mi hermano en la escuela el año pasado.
Los turistas toman fotos en la playa todos los domingos.
Nuestros vecinos buscarán la bicicleta junto al río mañana por la mañana.
Mi hermano esperó el tren con el estudiante en la ciudad anoche.
Mis amigos tomarán fotos con la chica en la escuela la próxima semana.
La semana pasada mis amigos dibujaron árboles en la escuela.
El estudiante compró leche con las mujeres en el mercado la semana pasada.
Las mujeres tomarán fotos en la escuela la próxima semana.
Todos los días los turistas reparan el barco con el estudiante en el pueblo.
Todas las mañanas la maestra lee un libro con el estudiante en la playa.
La maestra quiere ver una película con nuestros vecinos en casa la próxima semana.
Las mujeres buscan agua con el granjero en el jardín todas las mañanas.
Los turistas vieron un partido de fútbol en la escuela ayer.
Todas las mañanas el médico vende pan con mi hermana en el pueblo.
Nuestros vecinos quieren dibujar flores con mi abuela junto al río mañana.
Mañana nuestros vecinos venderán fruta en la playa.
Todas las mañanas la chica escucha música con el estudiante en el hotel.
Mi hermano leyó una carta bajo el árbol la semana pasada.
Mañana por la mañana mis amigos quieren jugar al fútbol en el jardín.
La chica quiere escuchar música con el cocinero en casa la próxima semana.
El año pasado mis amigos esperaron el autobús con los turistas en la ciudad.
Mis padres escribieron un poema con las mujeres en el jardín anteayer.
La próxima semana nuestros vecinos quieren cantar una canción junto al río.
El estudiante beberá leche con mis amigos en la cocina la próxima semana.
El estudiante aprendió matemáticas con mi hermana en la ciudad anteayer.
El médico jugó al fútbol con mi hermana en el pueblo la semana pasada.
El granjero lavará el coche con las mujeres en el pueblo la próxima semana.
Mi hermano cocinará sopa con mi hermana en el hotel la próxima semana.
Los turistas bebieron agua con mi hija en el hotel anoche.
El estudiante quiere leer un libro con nuestros vecinos en la estación el próximo mes.
Nuestros vecinos esperan el autobús en el pueblo todos los domingos.
La semana pasada mi abuela cocinó arroz en el pueblo.
Mi hermano dibujó el barco con nuestros vecinos junto al río anoche.
Nuestros vecinos buscan agua en el jardín todos los domingos.
Mi hermano escribió un cuento en el hotel anoche.
Mis padres aprenden chino con nuestros vecinos en la escuela todos los domingos.
Pasado mañana nuestros vecinos buscarán agua con el granjero junto al río.
La próxima semana las mujeres jugarán al fútbol con el médico en la playa.
Mi hermano leerá un libro con los turistas en la escuela mañana.
Las mujeres compran fruta con los niños en la ciudad todos los días.
Mi hermana jugará al fútbol con mis padres en el jardín la próxima semana.
Anteayer las mujeres bebieron agua con mi hermano bajo el árbol.
La maestra cocinará sopa con la chica junto al río la próxima semana.
Mis amigos venden leche en la playa todos los domingos.
La maestra cocina arroz con mi hija en la cocina todas las mañanas.
Todas las noches mi hija canta canciones antiguas con mi hermano en casa.
Los turistas verán una película con las mujeres en el hotel mañana.
La maestra esperará el autobús en el pueblo la próxima semana.
Todos los domingos los niños compran leche con nuestros vecinos en la estación.
La chica quiere comer fruta en el hotel el próximo mes.
Nuestros vecinos escribieron una carta en el hotel la semana pasada.
Mi abuela leyó un libro con los turistas en la escuela la semana pasada.
Las mujeres venden pescado con mi hija en el pueblo todos los días.
Nuestros vecinos jugaron al fútbol en el pueblo anoche.
El médico plantó árboles con el cocinero en el jardín la semana pasada.
Los niños plantan flores con mis amigos en el jardín todas las mañanas.
Mis amigos leyeron una carta con mi hermano en el jardín anoche.
La chica bebió leche bajo el árbol la semana pasada.
Mis amigos aprenderán una canción con el granjero en la escuela mañana por la mañana.
Todas las noches la chica ve un partido de fútbol en el pueblo.
Mi hermano comió arroz con mis amigos en el jardín la semana pasada.
El médico quiere beber café con mis amigos en el hotel la próxima semana.
Mañana por la mañana mi hermana cocinará sopa con los turistas en la cocina.
Todos los domingos las mujeres ven un partido de fútbol en el pueblo.
Las mujeres quieren escribir una carta con mis padres en casa el próximo mes.
Ayer mi hermana esperó el tren con nuestros vecinos en el pueblo.
Mis padres quieren dibujar el barco con el cocinero en casa mañana por la mañana.
La próxima semana mi hija quiere lavar fruta con el estudiante junto al río.
El estudiante vende pescado con mi hermana en la estación todas las mañanas.
Nuestros vecinos quieren ver una película con los turistas en casa pasado mañana.
El médico compra fruta con los niños en el pueblo todos los días.
El granjero quiere esperar el tren con el estudiante en la ciudad el próximo mes.
Los turistas bebieron té con mi hija en casa anoche.
Mañana los niños quieren reparar la bicicleta con las mujeres en la ciudad.
Los turistas buscan agua con los niños en el jardín todos los domingos.
El estudiante escucha música con mi hermano en el jardín todas las noches.
El cocinero lee un libro con mi hermana en el hotel todas las mañanas.
Ayer el estudiante aprendió chino con mis amigos en casa.
El granjero comprará pan con mi abuela en el mercado el próximo mes.
Mis padres cantaron una canción bajo el árbol anoche.
El granjero vendió leche con mi hija en la estación la semana pasada.
La semana pasada mi hermano dibujó una casa en el jardín.
La chica leyó un libro en el hotel anteayer.
La próxima semana mis amigos lavarán el coche con el granjero en el pueblo.
Los niños cocinan arroz con la maestra en casa todos los domingos.
Los turistas quieren leer un libro con mi abuela en la escuela pasado mañana.
El año pasado mi hermano leyó el periódico con la maestra en la playa.
Mi hermana escribe una carta con el granjero en el hotel todos los domingos.
Mis padres aprenderán chino con el estudiante en casa pasado mañana.
Anoche la maestra lavó el coche con mi hermana en el pueblo.
La chica escribió un poema con las mujeres en el hotel anteayer.
Ayer los niños jugaron al fútbol con mi hermano en la playa.
Mi hija comerá pan con el cocinero bajo el árbol mañana.
Mi hermana cantó una canción con nuestros vecinos en casa anteayer.
Pasado mañana mi hermano quiere leer un libro con las mujeres en la playa.
El cocinero plantará flores con los turistas en el pueblo mañana por la mañana.
Mis amigos quieren tomar fotos con la chica junto al río pasado mañana.
Todos los días mi hermana juega al fútbol con el estudiante en la playa.
Mi hermano compró flores con mi abuela en el mercado anteayer.
Mi hermano lava fruta con mi hija en casa todos los días.
Mi hermana escribió un poema con los niños en el jardín anoche.
Mis amigos vieron un partido de fútbol en casa el año pasado.
Los turistas quieren cocinar sopa con la maestra en el pueblo la próxima semana.
Mañana la maestra quiere dibujar árboles con el cocinero en la playa.
Los niños plantan árboles con la chica en la escuela todos los domingos.
Mañana por la mañana los niños leerán una carta con mis amigos bajo el árbol.
La maestra compró pan con mis amigos en el pueblo el año pasado.
La chica escribirá un cuento con el cocinero en el hotel el próximo mes.
La semana pasada el granjero tomó fotos con el médico en la playa.
La chica tomará fotos con nuestros vecinos junto al río mañana.
Todos los domingos mis amigos leen una carta con la maestra en el hotel.
Los turistas escucharon música con nuestros vecinos en el hotel la semana pasada.
La semana pasada las mujeres jugaron al fútbol con los turistas en el pueblo.
Mi hija aprenderá inglés con la maestra en casa la próxima semana.
Mi abuela cocinó sopa con los turistas en la cocina el año pasado.
Mi abuela escuchó música con el estudiante en casa anteayer.
El granjero quiere vender pan con la maestra en el mercado mañana por la mañana.
Todas las noches mis padres leen un libro con mi hija en el jardín.
Las mujeres buscaron la bicicleta con mi hermano en el pueblo anteayer.
El médico buscó la bicicleta con la chica en casa anoche.
Los turistas aprenderán una canción con mi abuela en la escuela mañana.
El año pasado la chica plantó flores con mis padres en el jardín.
Los turistas escucharon las noticias con mi hermano en casa el año pasado.
Los turistas comieron arroz con mi abuela en casa anteayer.
Mi hermana toma fotos en la escuela todos los domingos.
Anoche el estudiante buscó agua con mis padres en el jardín.
La maestra reparó la bicicleta con el granjero en casa anteayer.
Anoche los turistas buscaron la llave con mi abuela en el jardín.
Nuestros vecinos buscaron la llave en casa anoche.
Todos los domingos mis amigos compran leche con mi abuela en el pueblo.
La próxima semana mi hermano quiere vender pescado con mi abuela en el pueblo.
Las mujeres escucharon música con mis amigos en el jardín la semana pasada.
La chica aprendió matemáticas en casa la semana pasada.
Todos los domingos los niños aprenden chino con los turistas en la ciudad.
Los niños quieren jugar al fútbol con la maestra en la playa mañana.
La semana pasada las mujeres lavaron fruta con mi hermano en casa.
La maestra escucha música con la chica en el hotel todas las noches.
La chica bebió café con mi hermana en la estación anoche.
Las mujeres leen un libro con mi abuela en la estación todas las noches.
La maestra bebió leche con nuestros vecinos en el hotel anoche.
Todas las noches la chica repara la bicicleta junto al río.
La maestra leyó una carta con el médico en la escuela la semana pasada.
El cocinero quiere comprar fruta con los niños en la estación mañana.
Mi abuela verá una película con nuestros vecinos en el pueblo la próxima semana.
Anteayer nuestros vecinos jugaron al fútbol en el pueblo.
Nuestros vecinos leen una carta con mis padres en el hotel todos los días.
Mi abuela dibujó flores con mis padres junto al río anteayer.
El médico bebió agua con mis padres en casa ayer.
Nuestros vecinos beberán té en la ciudad mañana por la mañana.
Todas las mañanas mis padres plantan flores con el médico en el jardín.
Nuestros vecinos jugarán al fútbol con la chica en el jardín el próximo mes.
Pasado mañana las mujeres escribirán una carta con nuestros vecinos en el jardín.
Mi hermana tomó fotos con el médico en el jardín el año pasado.
El médico juega al fútbol con mi abuela en la escuela todos los domingos.
El estudiante come fruta con el médico en el jardín todos los días.
El estudiante cocinará sopa con mi abuela en casa pasado mañana.
La maestra espera el tren con las mujeres en la estación todos los días.
El próximo mes el médico verá un partido de fútbol con mi hija en el hotel.
Anteayer nuestros vecinos escucharon canciones antiguas con el estudiante en la escuela.
Mañana mi abuela cocinará pescado con mi hermana en la cocina.
Anoche mis padres vieron un partido de fútbol en casa.
Mi hermana buscará la bicicleta con mi hermano en casa la próxima semana.
Mi hija plantó árboles con la maestra en el jardín la semana pasada.
Nuestros vecinos reparan el barco con la chica junto al río todos los días.
Todas las noches la chica toma fotos con las mujeres en el jardín.
Todos los días el médico planta flores con mis padres en la escuela.
Nuestros vecinos buscaron la bicicleta con el estudiante en el jardín la semana pasada.
Mis amigos aprendieron matemáticas con los turistas en la ciudad anteayer.
Todas las mañanas nuestros vecinos escriben un cuento bajo el árbol.
El estudiante ve un partido de fútbol con los turistas en la escuela todas las noches.
Nuestros vecinos reparan el barco con el granjero en el pueblo todos los días.
Todas las mañanas mis amigos buscan la llave junto al río.
Mis amigos tomarán fotos con mi hermana en la playa mañana por la mañana.
Todos los domingos mis padres compran pan en el pueblo.
Nuestros vecinos reparan el coche en la playa todas las noches.
Todas las noches el granjero ve una película con la chica en el hotel.
Pasado mañana mis padres quieren plantar árboles con mi hermano en el pueblo.
Las mujeres quieren cantar una canción con mi hermano en la escuela mañana por la mañana.
Todas las noches mi hermano repara la radio con nuestros vecinos en casa.
Los turistas vieron una película con el estudiante en casa anteayer.
Mi hija verá una película con los turistas en el pueblo el próximo mes.
Anteayer mi hermano lavó la bicicleta con mi hija en el pueblo.
Anoche la chica bebió leche en el jardín.
La semana pasada la maestra lavó el coche con el estudiante en casa.
Mis padres cantarán una canción con los turistas en casa mañana.
Ayer nuestros vecinos jugaron al fútbol en el jardín.
Mañana por la mañana mi abuela cocinará arroz en la cocina.
Mis amigos compran pescado con mi abuela en el pueblo todos los domingos.
La semana pasada el médico lavó fruta con mis amigos en casa.
Mi hija escuchará las noticias con el estudiante bajo el árbol pasado mañana.
El granjero cocina arroz con mis amigos junto al río todas las noches.
Los niños beberán leche con las mujeres en la cocina la próxima semana.
Mis padres comprarán pescado con mi hermana en el mercado pasado mañana.
Mi hija lava fruta con la maestra en casa todos los días.
Mi hermano comió arroz con la chica bajo el árbol anoche.
El médico escribe un poema con el granjero en el jardín todas las mañanas.
El cocinero escribió una carta en la escuela anoche.
Mi hermano leyó una carta en la escuela anoche.
El próximo mes mi hermana esperará el autobús con la maestra en la ciudad.
Mis amigos toman fotos con nuestros vecinos en el jardín todas las mañanas.
Nuestros vecinos comieron arroz con la maestra en el mercado anoche.
La chica cantará una canción con el médico en casa pasado mañana.
Mis amigos cocinaron sopa con mi hija en el pueblo la semana pasada.
La chica plantó árboles con mi hermana en el jardín la semana pasada.
Mi abuela aprendió matemáticas con nuestros vecinos en la escuela la semana pasada.
Las mujeres quieren aprender chino con la maestra en la ciudad el próximo mes.
El cocinero canta canciones antiguas con los turistas en el pueblo todas las noches.
Todas las noches nuestros vecinos ven un partido de fútbol con los turistas en la ciudad.
Mis amigos quieren comprar fruta en la ciudad la próxima semana.
Mi hermano escribió un cuento en la escuela el año pasado.
El cocinero verá una película con la maestra en la ciudad mañana.
Las mujeres comerán fruta en el mercado la próxima semana.
La chica juega al fútbol con mi hermano en la escuela todos los domingos.
Los niños esperan el autobús con la chica en la ciudad todos los días.
El próximo mes mi abuela cocinará sopa con el granjero en casa.
La semana pasada mi hermano comió arroz en la escuela.
Nuestros vecinos toman fotos en el jardín todos los domingos.
Anteayer el cocinero cantó una canción con mis padres en la escuela.
Nuestros vecinos quieren escuchar música con los turistas en el hotel mañana.
El próximo mes mis padres aprenderán una canción con los turistas en casa.
Mi hermano cantó canciones antiguas con nuestros vecinos junto al río ayer.
El granjero plantó árboles con los niños en el pueblo ayer.
Mi hermana tomará fotos con los niños en la ciudad pasado mañana.
El cocinero vendió fruta con la maestra en el mercado ayer.
El médico dibuja una casa con mi abuela en el jardín todas las mañanas.
Las mujeres lavaron la bicicleta en el pueblo la semana pasada.
La maestra plantó flores con mis padres en el jardín ayer.
La próxima semana la chica beberá leche con mis amigos en casa.
Mis amigos escuchan canciones antiguas en el hotel todas las mañanas.
Mis padres compraron flores con el médico en la ciudad la semana pasada.
Mi hija quiere beber agua con las mujeres en el jardín pasado mañana.
Mi abuela quiere cocinar pescado con el granjero junto al río mañana.
Mañana por la mañana las mujeres cocinarán arroz con mi abuela junto al río.
Los niños leyeron una carta con el estudiante en la estación el año pasado.
Mis padres dibujarán árboles con el médico en la escuela la próxima semana.
Las mujeres quieren lavar fruta con los turistas junto al río la próxima semana.
Todos los domingos el médico juega al fútbol con mis amigos en la escuela.
Mi hermana comió pan en la escuela la semana pasada.
Mi hija leyó una carta con mis amigos bajo el árbol anteayer.
La semana pasada el granjero lavó fruta con mi hermano junto al río.
La maestra come fruta con nuestros vecinos en la escuela todos los domingos.
Pasado mañana el cocinero quiere comprar leche con mi hermano en la ciudad.
El estudiante vio un partido de fútbol con mi hermano en casa ayer.
Mi hermana reparó la radio con las mujeres en el pueblo anteayer.
Mis padres cocinan sopa con el granjero en casa todos los días.
El año pasado mis amigos esperaron el autobús con el estudiante en la ciudad.
Mañana por la mañana mi hija quiere esperar el tren en el pueblo.
Todas las noches la chica toma fotos con mi hija en la escuela.
La maestra bebió leche con los niños en la estación anteayer.
Mi hermana tomó fotos con el médico en la playa el año pasado.
El cocinero quiere esperar el tren con mi hija en la estación mañana por la mañana.
Mañana el cocinero esperará el tren con el médico en la estación.
Nuestros vecinos quieren vender leche en la estación la próxima semana.
Todos los domingos las mujeres reparan la radio en la playa.
Mi hija bebió leche con mi abuela en casa anteayer.
Mis amigos beberán leche con el cocinero en casa pasado mañana.
Ayer nuestros vecinos lavaron la bicicleta junto al río.
La chica cocinó pescado con la maestra en la cocina anoche.
Los turistas quieren vender pan con el cocinero en la estación mañana.
Los niños aprendieron matemáticas con mis amigos en la escuela ayer.
El médico ve un partido de fútbol con la maestra en la ciudad todos los domingos.
Nuestros vecinos quieren reparar el barco con los turistas en casa la próxima semana.
El granjero aprendió una canción con mi abuela en la ciudad anteayer.
Mi hermana dibujó árboles con mis padres junto al río el año pasado.
Anteayer mi hermano cocinó pescado con el cocinero en el hotel.
El médico escribió una carta con la chica en el jardín la semana pasada.
Todas las noches el médico planta árboles con la maestra en el jardín.
Mi hija compró flores con la chica en el pueblo anoche.
El estudiante cocinó arroz con mi hija en casa anoche.
Nuestros vecinos lavan el coche con la maestra en casa todas las mañanas.
El granjero escucha las noticias con la chica en casa todas las noches.
Anoche el estudiante jugó al fútbol con mis amigos en la escuela.
Mañana por la mañana el granjero escribirá una carta con el médico bajo el árbol.
Todas las mañanas nuestros vecinos buscan la llave en el pueblo.
La maestra quiere buscar la llave con el granjero en el jardín pasado mañana.
El granjero quiere plantar flores con mi abuela en el pueblo mañana.
Las mujeres esperarán el autobús con mis padres en la estación pasado mañana.
Nuestros vecinos aprenderán matemáticas en la ciudad el próximo mes.
Los turistas aprenderán chino en la escuela mañana por la mañana.
Todos los días mis padres dibujan árboles con el granjero en el jardín.
El médico escribirá un cuento con los niños en el hotel mañana por la mañana.
Anoche mi abuela jugó al fútbol con nuestros vecinos en la playa.
Mañana por la mañana mi hermana esperará el tren con mis padres en la estación.
Nuestros vecinos escribieron una carta en el hotel el año pasado.
Las mujeres quieren jugar al fútbol con la maestra en la playa mañana por la mañana.
Las mujeres jugarán al fútbol con el granjero en la escuela el próximo mes.
Nuestros vecinos dibujan árboles en la playa todos los domingos.
Mañana mis padres quieren leer el periódico con el granjero en la estación.
Todos los días el granjero toma fotos con mis amigos en la escuela.
Mis padres quieren aprender chino en la escuela mañana por la mañana.
Anoche el granjero escribió un cuento en el jardín.
La maestra comprará pan con los niños en la ciudad mañana.
El próximo mes el estudiante quiere ver una película con la maestra en el hotel.
Todos los domingos mis padres toman fotos con la maestra junto al río.
Mañana por la mañana mi hija verá una película en la escuela.
Mi abuela quiere aprender chino con las mujeres en la ciudad el próximo mes.
Todas las mañanas las mujeres beben leche con los turistas bajo el árbol.
Mi hija cantará una canción con las mujeres en la escuela el próximo mes.
Mis padres dibujarán una casa en la escuela mañana por la mañana.
Mi abuela repara el coche con mi hermano junto al río todas las noches.
La chica quiere escuchar música en el hotel el próximo mes.
Los niños quieren aprender una canción con la chica en la escuela mañana por la mañana.
La maestra quiere esperar el tren con la chica en el pueblo el próximo mes.
El estudiante buscó la llave con las mujeres en casa ayer.
Mi hija quiere comer arroz en la playa mañana por la mañana.
El granjero compró pan con mi hermana en el pueblo anteayer.
Anoche mis padres escribieron un cuento con mi abuela en la escuela.
Mis amigos dibujarán el barco en la escuela mañana por la mañana.
Nuestros vecinos escribieron una carta con mi hermana en el jardín anoche.
Las mujeres cantan una canción con el estudiante junto al río todos los domingos.
El granjero escuchó música con mis padres en el hotel el año pasado.
Anoche el médico reparó el coche con mi hermana junto al río.
La chica cocina pescado con nuestros vecinos junto al río todas las noches.
Mis amigos beberán té en casa la próxima semana.
El médico bebió agua con los niños en la ciudad anoche.
Mi hermano leyó el periódico con mis padres en la escuela la semana pasada.
El estudiante tomó fotos con mis padres en el jardín el año pasado.
La maestra leyó el periódico con mi abuela en el jardín anoche.
Mi hermana cocinó arroz en el pueblo la semana pasada.
Los niños quieren escribir un cuento con el granjero bajo el árbol la próxima semana.
Mi hermana cocinó arroz con nuestros vecinos en el hotel ayer.
Las mujeres toman fotos con el cocinero en la ciudad todos los días.
El médico repara el barco con mi hermano junto al río todas las noches.
La maestra lava el coche con la chica en el pueblo todos los días.
Anoche el médico escribió un poema con mi hermano bajo el árbol.
La chica quiere escribir un poema en el jardín la próxima semana.
La maestra escribió un cuento en el hotel anoche.
Todas las mañanas nuestros vecinos reparan el barco con los turistas en la playa.
El cocinero reparará el coche con mi abuela junto al río mañana.
La próxima semana las mujeres quieren reparar la radio en el pueblo.
Anteayer el cocinero vendió flores con mi hija en el mercado.
Las mujeres bebieron leche con el médico en la cocina el año pasado.
Nuestros vecinos esperaron el autobús en el pueblo el año pasado.
Mi abuela jugó al fútbol con la maestra en la escuela el año pasado.
Mi hermana escuchará las noticias en la cocina la próxima semana.
Anteayer la maestra cantó una canción con mis amigos junto al río.
Mis amigos escribieron un poema en el hotel anoche.
Mis amigos lavan la bicicleta en casa todas las noches.
El estudiante jugó al fútbol con los niños en la playa anteayer.
El cocinero dibuja el barco con la maestra en la escuela todas las mañanas.
Los turistas tomaron fotos con el cocinero en el mercado la semana pasada.
Anteayer los niños escucharon música con mi abuela en casa.
Mis padres quieren vender pescado con mi hija en la playa pasado mañana.
Mi hija jugó al fútbol en la escuela anoche.
El año pasado mi hija vio una película con el estudiante en casa.
Ayer los niños compraron pescado con la chica en el pueblo.
Las mujeres ven un partido de fútbol en casa todos los domingos.
El estudiante quiere esperar el autobús con los niños en la ciudad el próximo mes.
Mi hermano escribe un cuento con mi abuela en el hotel todos los días.
Los turistas buscaron la bicicleta en el jardín la semana pasada.
Nuestros vecinos beberán té con el estudiante en casa mañana.
Todas las mañanas la chica busca la llave con el cocinero junto al río.
Los niños leen un libro con los turistas en casa todas las mañanas.
Todos los domingos mi hermana juega al fútbol en la playa.
Mi hija quiere lavar fruta con mi hermana junto al río pasado mañana.
Mi hermana cocinó arroz con la maestra en el pueblo anteayer.
Las mujeres quieren cocinar pescado con la chica en casa la próxima semana.
Anteayer el granjero lavó el coche con mis amigos junto al río.
Anoche la maestra tomó fotos con mi hermano en la ciudad.
La semana pasada mi abuela compró leche con mis padres en la estación.
El cocinero ve un partido de fútbol con el estudiante en la escuela todas las mañanas.
Mi abuela compra flores con el estudiante en la estación todas las mañanas.
Mi hermano compró pan con mi hermana en la estación el año pasado.
Nuestros vecinos quieren dibujar una casa en la escuela mañana por la mañana.
El estudiante cantará una canción con la chica en el jardín mañana por la mañana.
Nuestros vecinos bebieron agua en el jardín la semana pasada.
Mi abuela bebe leche con la maestra en casa todos los días.
El médico espera el tren con el cocinero en el pueblo todos los domingos.
El estudiante leerá el periódico con el médico en el jardín el próximo mes.
El estudiante compra pescado con el cocinero en la estación todas las noches.
Los turistas repararon el coche con mis amigos en casa anteayer.
Mi hermana vio una película con mis padres en el hotel anteayer.
Todas las mañanas los niños beben café con el granjero en el hotel.
La chica quiere tomar fotos con el estudiante en la escuela la próxima semana.
Las mujeres quieren jugar al fútbol con mis amigos en el pueblo la próxima semana.
El estudiante quiere jugar al fútbol con mi hermana en la escuela la próxima semana.
Anoche las mujeres buscaron la bicicleta con mi abuela junto al río.
Mis amigos quieren buscar la bicicleta con mi abuela en el pueblo el próximo mes.
El año pasado las mujeres vieron una película con el cocinero en el hotel.
El cocinero aprende matemáticas con mis amigos en la ciudad todos los domingos.
Mi hija bebió café con el cocinero en el jardín el año pasado.
Mis amigos buscan la llave con el médico en casa todos los domingos.
Las mujeres juegan al fútbol en el jardín todos los domingos.
Todas las noches nuestros vecinos plantan flores en la escuela.
El médico cocinará pescado con mi hermana en casa la próxima semana.
Mi abuela lavará la bicicleta con mi hermano en el pueblo mañana por la mañana.
Nuestros vecinos beberán té con mis amigos en la ciudad pasado mañana.
Mis padres vendieron pan en el pueblo la semana pasada.
Las mujeres ven un partido de fútbol con mi hermano en el hotel todas las mañanas.
El año pasado los turistas dibujaron el barco con las mujeres junto al río.
Nuestros vecinos beben café en el jardín todas las noches.
La semana pasada el estudiante buscó agua con el granjero en casa.
La semana pasada mi hermano bebió agua con mi abuela en el jardín.
Los niños quieren esperar el autobús con mis amigos en el pueblo mañana por la mañana.
El próximo mes el granjero quiere ver una película con nuestros vecinos en la escuela.
Mañana por la mañana mis amigos quieren vender flores en el mercado.
Las mujeres quieren esperar el tren con mis amigos en el pueblo mañana por la mañana.
El estudiante leerá el periódico con el cocinero en casa mañana por la mañana.
El granjero buscó agua con mi abuela en casa ayer.
El cocinero comió pescado con mi hermano en casa anteayer.
Nuestros vecinos lavaron la bicicleta en casa ayer.
El granjero cocina pescado con la chica en la cocina todas las noches.
El cocinero lava fruta con la maestra en casa todos los domingos.
Las mujeres quieren jugar al fútbol con el granjero en el pueblo mañana.
Mi hermano vio un partido de fútbol con la maestra en el pueblo el año pasado.
Todos los días las mujeres leen el periódico con el granjero en casa.
Nuestros vecinos venden pescado con el médico en el mercado todas las mañanas.
La próxima semana mi hermana quiere vender pan con los niños en la estación.
Ayer el cocinero tomó fotos con mi hermana en la escuela.
La maestra quiere cocinar sopa con los niños en la cocina mañana.
Los turistas leyeron el periódico con mi hermana en la playa la semana pasada.
Mi hija plantó árboles con los turistas en el pueblo ayer.
Las mujeres aprenderán matemáticas con mi hermana en la ciudad la próxima semana.
Ayer mi hermano aprendió una canción con mi abuela en la ciudad.
Nuestros vecinos comerán arroz en la playa la próxima semana.
Los turistas tomarán fotos con nuestros vecinos en el mercado mañana por la mañana.
Mi hermano escuchará música con nuestros vecinos en el jardín mañana.
Mi abuela jugó al fútbol con mi hija en el pueblo anoche.
Anoche mis amigos vieron un partido de fútbol en la escuela.
El estudiante bebió té con los niños en el jardín el año pasado.
El año pasado mi hermana esperó el autobús con nuestros vecinos en el pueblo.
Nuestros vecinos escribieron un cuento con mi hija en el hotel el año pasado.
Mis amigos cantan una canción con los niños en la playa todos los domingos.
Las mujeres esperan el autobús en la ciudad todas las noches.
El estudiante aprende matemáticas con el granjero en casa todas las mañanas.
Pasado mañana los turistas quieren beber café con mi hermano en el jardín.
Mi hermano quiere buscar la bicicleta con los niños en el jardín mañana por la mañana.
Mi abuela bebe café con nuestros vecinos en la cocina todos los domingos.
Mi hija esperó el tren con mi hermano en el pueblo ayer.
El médico esperará el tren con los niños en el pueblo mañana.
Todas las noches mi hermano espera el autobús con los turistas en el pueblo.
Las mujeres toman fotos con mi hermana en el mercado todos los domingos.
El granjero vio una película con la maestra en la ciudad anteayer.
El médico quiere buscar agua con el estudiante en el pueblo mañana por la mañana.
Mi abuela tomó fotos con mi hermana en la ciudad la semana pasada.
Mañana el cocinero escribirá un poema con el granjero en el jardín.
Mis amigos comen pescado en la escuela todos los domingos.
Nuestros vecinos quieren buscar agua con mi abuela junto al río pasado mañana.
El estudiante compró fruta con los niños en el mercado el año pasado.
Los niños vieron un partido de fútbol con la maestra en el hotel el año pasado.
Todas las noches mi hija toma fotos con mis amigos en la escuela.
El médico cantará canciones antiguas con mi hermana en el pueblo pasado mañana.
Nuestros vecinos jugarán al fútbol con los turistas en la escuela el próximo mes.
Pasado mañana la maestra quiere cocinar sopa con mis padres junto al río.
El granjero quiere ver un partido de fútbol con los niños en la escuela mañana por la mañana.
Mañana por la mañana mi abuela quiere tomar fotos en el mercado.
Los niños aprenderán una canción con mi hija en la escuela mañana por la mañana.
El año pasado el granjero escuchó música con mi hermano bajo el árbol.
Nuestros vecinos venden pescado con los turistas en la estación todos los domingos.
El granjero comprará flores con mis padres en el mercado mañana.
El cocinero espera el autobús en la ciudad todos los domingos.
Las mujeres lavaron la bicicleta con el granjero en el pueblo anoche.
Anteayer los niños tomaron fotos con el médico junto al río.
Mi hija tomará fotos con nuestros vecinos en la playa la próxima semana.
Mis padres quieren buscar la llave con el cocinero en el pueblo pasado mañana.
Los niños quieren aprender una canción con mi hija en la escuela mañana por la mañana.
Mis amigos escriben un cuento en el jardín todos los domingos.
Las mujeres cantaron canciones antiguas con la chica en el jardín el año pasado.
Los niños esperaron el tren con mi abuela en la estación anteayer.
El estudiante venderá pan con el granjero en la playa mañana por la mañana.
El médico comerá pescado con las mujeres bajo el árbol mañana.
Mañana mi hermana quiere escuchar las noticias con mis amigos en el jardín.
El granjero planta flores con el cocinero en el pueblo todos los domingos.
Todos los domingos nuestros vecinos comen arroz en el mercado.
La próxima semana mi abuela quiere beber café en el jardín.
Todos los días mi hermano busca la llave con la chica en el pueblo.
Mañana la chica quiere reparar la radio en la playa.
Nuestros vecinos buscarán la bicicleta con mi hermana en el pueblo pasado mañana.
Mis amigos cantan una canción con mi hermana junto al río todas las noches.
El cocinero ve un partido de fútbol con la chica en el pueblo todas las noches.
Mis amigos compran pan en la ciudad todas las mañanas.
El cocinero quiere comer arroz con los niños en la cocina mañana por la mañana.
El granjero verá un partido de fútbol en el hotel el próximo mes.
El cocinero dibujó el barco con mis padres en el jardín anoche.
Mañana por la mañana el cocinero quiere comer fruta con el granjero bajo el árbol.
El próximo mes nuestros vecinos leerán un libro en el jardín.
El médico cocinó arroz con mis amigos en el hotel el año pasado.
Los turistas escucharon canciones antiguas en el jardín anoche.
Mis padres escuchan canciones antiguas con mi hija en el hotel todos los domingos.
La chica tomará fotos en la playa la próxima semana.
Mi hija lavó fruta con el médico en el pueblo el año pasado.
La chica quiere jugar al fútbol con mi hermana en el pueblo mañana.
Mi abuela leyó el periódico con los niños en el hotel la semana pasada.
Nuestros vecinos dibujarán flores con el cocinero en el jardín pasado mañana.
Mañana por la mañana nuestros vecinos quieren esperar el autobús con el cocinero en la ciudad.
Mis amigos quieren aprender una canción con el cocinero en la escuela mañana por la mañana.
La chica venderá pescado con los turistas en la estación mañana.
Todos los días el médico toma fotos con la maestra en la escuela.
Mañana el médico quiere esperar el tren con el cocinero en la estación.
Ayer la chica cantó una canción con los niños en casa.
Mis amigos plantarán flores con el médico en el jardín mañana por la mañana.
La semana pasada los turistas jugaron al fútbol con mi hija en la playa.
Todas las mañanas mis amigos buscan la bicicleta con las mujeres en casa.
El estudiante busca la llave con la maestra en casa todas las mañanas.
El estudiante canta canciones antiguas con mi hermano en casa todos los domingos.
Todos los domingos mi hermano espera el tren en el pueblo.
El estudiante quiere cocinar pescado con mis padres en el hotel mañana por la mañana.
La chica esperó el autobús con la maestra en la ciudad la semana pasada.
Todas las mañanas el médico escribe un cuento con el cocinero en el hotel.
El granjero verá una película con el estudiante en el hotel la próxima semana.
La próxima semana mi hija quiere ver un partido de fútbol con los niños en la ciudad.
El próximo mes las mujeres repararán la bicicleta con los niños en casa.
Mi hermano quiere comprar fruta con nuestros vecinos en la ciudad la próxima semana.
Mis amigos juegan al fútbol con el estudiante en el pueblo todos los días.
La maestra reparó la radio en el pueblo anoche.
Pasado mañana la chica beberá té con los turistas en la cocina.
Todos los días mis padres reparan el coche con mi hermana en la playa.
La chica comió arroz en la cocina anoche.
Mi abuela quiere aprender inglés con el cocinero en la escuela el próximo mes.
La próxima semana nuestros vecinos plantarán árboles con mi hija en el pueblo.
Mi hermana quiere comprar fruta con mi abuela en el pueblo la próxima semana.
Las mujeres cocinarán arroz con los turistas junto al río mañana por la mañana.
El próximo mes mis amigos quieren comer arroz en el hotel.
Anteayer el estudiante lavó el coche con el cocinero junto al río.
El granjero quiere jugar al fútbol con nuestros vecinos en el jardín mañana por la mañana.
Mi hija esperará el autobús en el pueblo mañana por la mañana.
Pasado mañana el médico quiere vender pescado con mi hermano en la estación.
Anoche mi hija esperó el autobús en el pueblo.
Mi hija escuchó música con mi hermano en el jardín anteayer.
Mi hermana quiere plantar árboles con mis padres en el pueblo mañana por la mañana.
Todas las noches mis amigos escuchan canciones antiguas en la estación.
Mi hermana quiere jugar al fútbol con el estudiante en el pueblo mañana por la mañana.
Las mujeres quieren cantar canciones antiguas con la chica en casa pasado mañana.
Mi abuela vendió fruta con el granjero en el mercado anteayer.
Todos los días mi abuela toma fotos con el granjero en el jardín.
Mi hija bebe café con mi hermano en casa todas las mañanas.
Mis amigos reparan la bicicleta en casa todas las noches.
Todas las mañanas mi abuela espera el tren con los niños en la ciudad.
Los turistas lavaron fruta con mi hermano en el pueblo ayer.
Todas las noches mis padres buscan la bicicleta con el granjero en el jardín.
Los niños comerán pescado con el médico bajo el árbol la próxima semana.
El cocinero dibujó el barco con mis amigos en el jardín anoche.
La maestra cocinará pescado con la chica junto al río mañana.
Mi hija leerá el periódico con mis padres bajo el árbol el próximo mes.
Anoche mis amigos aprendieron una canción en la ciudad.
El cocinero vendió fruta con mi hermano en la ciudad anoche.
Mi hermana cantó una canción con los turistas en el pueblo el año pasado.
Nuestros vecinos toman fotos con mi hermano en la playa todas las mañanas.
Mi hermano plantó flores con nuestros vecinos en la escuela la semana pasada.
Mi hermano leyó el periódico en la escuela la semana pasada.
Los niños venden leche con mi hija en el pueblo todas las noches.
El granjero canta canciones antiguas con el estudiante junto al río todos los días.
Pasado mañana mi hija quiere comprar flores con mi hermana en la estación.
Las mujeres cantan una canción con nuestros vecinos en la playa todas las mañanas.
Mis padres compraron fruta con mi hermano en la estación anoche.
Mis amigos bebieron leche con mis padres en la ciudad la semana pasada.
Los turistas beben café con el cocinero en casa todos los domingos.
El cocinero canta una canción con mi abuela en la playa todas las noches.
Ayer mi abuela reparó la radio con el cocinero en la ciudad.
Nuestros vecinos comieron pan en el mercado la semana pasada.
Mis padres cocinan arroz en el pueblo todos los domingos.
Anteayer la chica lavó el coche con nuestros vecinos en el pueblo.
Todas las mañanas mis amigos cocinan sopa con los niños en el pueblo.
Mi hermano aprendió inglés con mi hija en casa anteayer.
Mi hermana dibujó árboles con mi hija junto al río el año pasado.
Mi hermana plantó árboles con mi hija en la escuela anteayer.
Ayer la maestra bebió té con mis padres en la ciudad.
Los turistas vieron un partido de fútbol con mi hija en el pueblo el año pasado.
Mi hermano cantó canciones antiguas con nuestros vecinos en la playa anoche.
Mañana por la mañana nuestros vecinos cocinarán pescado junto al río.
Todos los días los turistas escriben un poema con mi hija en el hotel.
Nuestros vecinos leyeron una carta en la escuela anoche.
Mi hermana lavó el coche con el cocinero junto al río anoche.
Ayer mi abuela plantó flores con mis padres en la escuela.
El cocinero comió arroz con mi hermano en el jardín el año pasado.
Anoche mi hija cocinó arroz con mi hermana en la cocina.
El cocinero cocinará pescado con los turistas junto al río pasado mañana.
Las mujeres plantan flores con los niños en el jardín todas las noches.
Mis padres dibujaron el barco con la chica en la escuela anteayer.
La maestra quiere escribir una carta con mi hija bajo el árbol el próximo mes.
Nuestros vecinos quieren cantar canciones antiguas con mis padres en el pueblo mañana por la mañana.
El granjero bebe agua con los niños en la cocina todas las noches.
Mañana mi hija venderá pan con la chica en el pueblo.
Nuestros vecinos quieren vender leche con el granjero en el mercado mañana por la mañana.
El estudiante escribe un cuento con mi hermano bajo el árbol todas las mañanas.
Mi abuela jugó al fútbol con mis amigos en el pueblo el año pasado.
Mis amigos cantaron canciones antiguas en la playa el año pasado.
Todos los días el estudiante juega al fútbol con los turistas en el pueblo.
Todas las noches mi hija repara el barco con el médico en la ciudad.
Mi hermano beberá leche con mis padres en la estación mañana por la mañana.
La próxima semana los turistas lavarán la bicicleta junto al río.
Nuestros vecinos venderán pescado en el mercado la próxima semana.
Mis padres dibujaron árboles con mis amigos en casa la semana pasada.
Nuestros vecinos quieren aprender chino con la chica en casa el próximo mes.
Mi hermano espera el autobús con los turistas en el pueblo todos los domingos.
La maestra ve una película con mis amigos en el hotel todas las mañanas.
Mis padres escucharán música con el cocinero en el hotel mañana por la mañana.
El granjero compra fruta con las mujeres en la ciudad todos los días.
La próxima semana mis amigos quieren aprender una canción con mi hermano en casa.
La próxima semana las mujeres quieren buscar la bicicleta en el pueblo.
La próxima semana los niños escucharán canciones antiguas con los turistas en casa.
Mis amigos cantarán canciones antiguas con el estudiante en el pueblo mañana por la mañana.
Los niños repararon el barco con nuestros vecinos en la ciudad anteayer.
Mi abuela quiere escribir un cuento en el hotel la próxima semana.
Pasado mañana mis padres esperarán el autobús con el granjero en la estación.
El próximo mes mis amigos buscarán la bicicleta en el jardín.
Mi hermano aprende inglés con las mujeres en la ciudad todas las noches.
Los niños verán un partido de fútbol en la ciudad la próxima semana.
Todos los domingos mis amigos comen arroz en casa.
Mis amigos quieren reparar el coche con el granjero en la playa mañana por la mañana.
Los niños quieren jugar al fútbol en la escuela mañana por la mañana.
La chica bebe agua con mis amigos en la ciudad todas las noches.
Anteayer mi hermana comió pan con mi abuela en casa.
Todos los domingos mi hermana compra leche con mis padres en la estación.
Mis padres bebieron agua con mi hija en la estación la semana pasada.
Todos los domingos mi hermana ve un partido de fútbol con el granjero en el hotel.
Anteayer las mujeres escribieron una carta con los turistas en el jardín.
Mis amigos buscan la llave con mi hermana en el pueblo todas las noches.
El cocinero vendió leche con mis padres en el mercado anteayer.
Mis amigos quieren plantar árboles con nuestros vecinos en el jardín mañana.
El médico lavó el coche con las mujeres en casa la semana pasada.
Mis padres repararon la bicicleta con la chica en la ciudad la semana pasada.
La semana pasada mi abuela escuchó canciones antiguas con mis padres en el jardín.
Las mujeres comieron pan con mi hija bajo el árbol anoche.
Mis padres juegan al fútbol con mi hermana en la escuela todos los domingos.
Nuestros vecinos esperaron el autobús en la estación el año pasado.
Ayer el médico leyó una carta con mi hermano en la escuela.
Mi hija reparará la radio en la playa la próxima semana.
Los turistas plantaron flores con nuestros vecinos en el pueblo la semana pasada.
Pasado mañana mi hija dibujará el barco con mis amigos en casa.
Anteayer mis amigos lavaron la bicicleta junto al río.
Mi hermano venderá pan con nuestros vecinos en la playa mañana por la mañana.
Mañana por la mañana las mujeres leerán un libro con el estudiante en el hotel.
Nuestros vecinos compraron flores con el médico en la ciudad la semana pasada.
Nuestros vecinos toman fotos en la ciudad todos los domingos.
Todas las mañanas mi hermana planta árboles con el granjero en la escuela.
El médico vio un partido de fútbol en el hotel anteayer.
La chica escucha música con el médico en la estación todas las mañanas.
Anoche mi hermana jugó al fútbol en la playa.
Los turistas cocinan pescado con la maestra en casa todas las noches.
El granjero quiere ver un partido de fútbol con el médico en el pueblo mañana por la mañana.
La maestra lee una carta con los niños en la playa todas las mañanas.
Mi hija plantará árboles con los turistas en el pueblo mañana por la mañana.
El granjero compró pan con mis padres en la estación anoche.
Los niños vieron un partido de fútbol en el hotel ayer.
La chica vendió flores con nuestros vecinos en la estación el año pasado.
Los niños aprenderán chino con mi abuela en la ciudad mañana.
El estudiante jugó al fútbol con los niños en la escuela anoche.
Las mujeres toman fotos con el médico junto al río todos los domingos.
Mis amigos tomaron fotos con el médico en la ciudad la semana pasada.
Mis amigos dibujarán una casa con la maestra junto al río pasado mañana.
Mis padres escucharon las noticias en la escuela anoche.
La maestra canta canciones antiguas con mis padres bajo el árbol todas las noches.
La chica cocinó sopa con el estudiante en casa el año pasado.
Los niños leerán un libro con mi hermano en el hotel el próximo mes.
La chica escuchará las noticias en el hotel mañana por la mañana.
El cocinero lee una carta con los turistas en el jardín todos los días.
Mañana por la mañana nuestros vecinos leerán un libro con la maestra en el hotel.
Nuestros vecinos quieren beber café bajo el árbol la próxima semana.
Todas las noches la maestra escribe un cuento con el médico bajo el árbol.
Mis padres reparan la radio con mi hermana en la playa todas las mañanas.
Nuestros vecinos leyeron una carta con el estudiante en la escuela anoche.
El estudiante quiere tomar fotos con mis amigos en la ciudad mañana.
Las mujeres reparan la bicicleta con mi abuela en la playa todas las mañanas.
Mi abuela quiere escribir un cuento en el jardín mañana por la mañana.
El estudiante reparó la bicicleta con el cocinero en el pueblo anoche.
La chica ve un partido de fútbol en la escuela todos los días.
El estudiante quiere ver una película con el granjero en el hotel el próximo mes.
Mañana la maestra escuchará canciones antiguas con mis padres en el jardín.
Mis padres quieren vender fruta con los niños en el mercado pasado mañana.
Las mujeres cantaron una canción junto al río anoche.
Anteayer mi hermana cocinó sopa con mis padres en la cocina.
Anteayer los niños vendieron leche con mi hermano en el mercado.
El médico dibujó flores con mis padres en la playa ayer.
Mi hermana comerá arroz con mi hermano en la cocina el próximo mes.
